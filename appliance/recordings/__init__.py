"""Recordings of calls: what is kept of them, and who heard them and why."""

from appliance.recordings.keeping import keep, of_call, uncompressed, unfinished, write_down

__all__ = ["keep", "of_call", "uncompressed", "unfinished", "write_down"]
