"""Going on with a model: labels carried over to another, and topics that learn from new text."""
