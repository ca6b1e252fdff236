"""What hosts Terzetto's instruments: chains, live instances behind plugins, batches, installing the plugins."""
