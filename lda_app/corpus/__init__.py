"""Text to counts: sources, documents, tokens, vocabulary, document-term matrices. No torch here."""
