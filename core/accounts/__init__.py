"""People: who they are, what they prefer, what they changed."""
