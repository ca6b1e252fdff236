"""What drum and performance models learn from: the published layouts of the data sets, and any folder of MIDI."""
