"""The training loop, its schedule and checkpoints."""
