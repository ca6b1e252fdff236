"""The temporal CONV-WTA autoencoder: dictionaries of drum music and of piano performances."""
