"""Many trainings beside each other on one corpus: how stable topics are, and how many there should be."""
