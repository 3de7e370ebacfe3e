"""The report: one HTML page of a model and its corpus that works without a network."""
