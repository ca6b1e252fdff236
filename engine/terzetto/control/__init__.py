"""What steers the instruments: the parameter table, OSC messages and who they go to."""
