"""Fakes of external systems, for the tests; each misbehaves in the ways that a test configures."""
