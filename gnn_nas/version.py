"""The version, which is also the name of its tag and the head of CHANGELOG.md."""

__version__ = "0.1.0"
