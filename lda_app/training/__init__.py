"""The training loop, its schedule, checkpoints and early stop."""
