"""What the untrained networks around cells do with a few images."""
