"""A believable team to look at: made on request in a store that is fresh, and taken out again whole."""
