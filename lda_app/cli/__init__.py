"""The Typer commands: one module a group, thin over the library."""
