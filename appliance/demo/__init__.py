"""A synthetic history for trying the pages and for measuring: `appliance demo load`."""

from appliance.demo.loading import DemoError, load, rows
from appliance.demo.world import World

__all__ = ["DemoError", "World", "load", "rows"]
