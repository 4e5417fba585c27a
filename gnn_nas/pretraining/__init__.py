"""Locality-based self-supervised pretraining of a controller (Choi, Choe & Lee 2020)."""
