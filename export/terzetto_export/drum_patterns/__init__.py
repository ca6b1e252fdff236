"""Training the pattern models of Terzetto Drums: the paper's variational autoencoder, and the product's."""
