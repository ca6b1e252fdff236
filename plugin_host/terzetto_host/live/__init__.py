"""Live instances: the server, a worker process for each plugin, and how they are steered."""
