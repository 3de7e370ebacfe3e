"""Updating a model: train on new text, carry labels over, and measure drift."""
