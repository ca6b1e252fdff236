"""Hands: the left and the right hand of a piano recording.

Templates → factorise (NMF, NAE) → masks → stems, after T. Zunner, *Neural Networks with Nonnegativity
Constraints for Decomposing Music Recordings*, 2021 (cited as Zunner 2021).
"""
