"""Measurements of speed and memory, run by ``bin/bench``."""
