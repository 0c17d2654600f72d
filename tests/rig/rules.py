"""The call rules of a site whose settings file does not mention them."""

from appliance.core.settings import Calls

RULES = Calls(hotline_number="")
