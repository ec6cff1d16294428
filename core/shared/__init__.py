"""What replicas tell each other."""
