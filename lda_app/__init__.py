"""Latent Dirichlet allocation with neural, implicitly reparameterized inference."""

__version__ = "0.1.0"
