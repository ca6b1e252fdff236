"""The cross-synthesis autoencoder of Gabrielli, Cella et al. (2017, 2018), as Cella's slides show and judge it."""
