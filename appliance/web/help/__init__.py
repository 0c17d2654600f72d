"""Help: the meaning of each figure."""
