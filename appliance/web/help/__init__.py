"""Help: what the figures mean."""
