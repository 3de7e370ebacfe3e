"""The Pyro model and guide, and the likelihood, encoder and topics they are made of."""
