"""Recordings of calls: what is kept, what is missing, who heard them and why."""

from appliance.recordings.keeping import unfinished, write_down

__all__ = ["unfinished", "write_down"]
