"""Calls: the floor, the calls of a day, one call, missed callers."""
