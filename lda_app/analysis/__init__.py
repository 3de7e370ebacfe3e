"""Uncertainty: intervals for documents and groups, and effects of metadata on topics."""
