"""The tasks of ``terzetto evaluate``: the arguments of each; what is measured is in `terzetto.evaluate`."""
