"""The second judge of instruments: it knows the players' own notes, each fold of it those of three pitches in four."""
