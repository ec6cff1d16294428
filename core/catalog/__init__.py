"""What models exist, what they can do, and how they have been doing lately."""
