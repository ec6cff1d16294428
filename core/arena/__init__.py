"""Models side by side: comparisons, votes, ratings."""
