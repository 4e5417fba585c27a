"""Work in several processes: here, or on the machines of a Ray cluster."""
