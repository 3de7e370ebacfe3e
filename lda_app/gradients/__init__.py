"""Reparameterization gradients; imports nothing else of the app."""
