"""The Pyro model and guide, and the likelihood, encoder and topics they are made of."""

import warnings

with warnings.catch_warnings():
    # Pyro imports progress bars, unused here, that complain in a notebook without ipywidgets.
    warnings.filterwarnings("ignore", message="IProgress not found")
    import pyro as pyro
