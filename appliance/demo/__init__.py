"""A synthetic history for trying out the pages and for benchmarks: `appliance demo load`."""

from appliance.demo.loading import DemoError, history_rows, load_history
from appliance.demo.world import SiteProfile, load_site_profile

__all__ = [
    "DemoError",
    "SiteProfile",
    "load_history",
    "history_rows",
    "load_site_profile",
]
