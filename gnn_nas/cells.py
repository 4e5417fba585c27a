"""What `gnn_nas.spaces` was called before: networks that people have exported import it."""

from gnn_nas import spaces


def __getattr__(name: str) -> object:
    return getattr(spaces, name)
