"""Held-out perplexity, coherence, diversity and other quality measures."""
