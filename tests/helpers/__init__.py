"""What tests share; imported, as ``from tests.helpers.measurements import write_benchmark``."""
