"""Change requests of the ministry: terms, states, files, and the changes made for them (A10)."""
