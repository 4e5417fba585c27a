"""Pictures and pages to explore."""
