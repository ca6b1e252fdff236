"""Latent sequencing for dynamic musical patterns (Chemla--Romeu-Santos et al. 2019): sections 2 and 3 as written."""
