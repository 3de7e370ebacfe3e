"""Held-out perplexity, coherence and diversity, each by a named protocol."""
