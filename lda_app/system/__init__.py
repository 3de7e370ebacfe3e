"""What the app needs of the machine: files, processes, compiled loops, progress, charts."""
