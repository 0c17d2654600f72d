"""How calls are treated on a site that says nothing of it."""

from appliance.core.settings import Calls

RULES = Calls(hotline_number="")
