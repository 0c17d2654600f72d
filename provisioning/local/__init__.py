"""The local site: the whole box on loopback addresses, with simulated phones and callers."""
