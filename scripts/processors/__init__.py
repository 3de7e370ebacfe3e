"""Tests under processors that one machine can imitate."""
