"""What people outside are told of an appeal, and in which words."""

from appliance.notices.citizens import answered, opt_in, opt_out, opted_out, registered
from appliance.notices.duty import alert

__all__ = ["alert", "answered", "opt_in", "opt_out", "opted_out", "registered"]
