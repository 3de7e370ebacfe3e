"""The report from a server on this machine, which pages the documents of a large corpus from disk."""
