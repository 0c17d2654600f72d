"""Snapshots of the whole site: created, verified, tried, restored; and the continuous copy."""
