"""The slides' evaluation: five melodies of twenty random notes, turned into ten instruments: a thousand notes."""
