"""Drums: patterns out of a latent space, and the dictionary that understands them."""
