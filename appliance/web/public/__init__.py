"""Pages without a login."""
