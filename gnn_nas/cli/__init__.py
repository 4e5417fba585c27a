"""Commands: one module each, every one with a ``main(argv=None)`` that returns the exit status."""
