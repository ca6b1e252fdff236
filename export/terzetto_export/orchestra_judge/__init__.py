"""The second judge of instruments: it knows the players' own notes, each half of it those of every other pitch."""
