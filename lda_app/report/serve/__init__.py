"""Local web server for the report; it reads the documents of a large corpus from disk on demand."""
