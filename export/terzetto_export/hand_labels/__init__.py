"""The recipe of the model that tells which hand plays a note: data, augmentation, network, training."""
