"""Notices about appeals to people outside, and their texts."""
