"""The telephony report: its page, the lists of calls that its figures count, and files of both."""

from appliance.web.reports.telephony import calls as calls  # adds its pages to the screen
from appliance.web.reports.telephony.blueprint import screen
from appliance.web.reports.telephony.page import TABS

__all__ = ["TABS", "screen"]
