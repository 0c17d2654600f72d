"""What people outside are told of an appeal, and in which words."""

from appliance.notices.citizens import answered, opt_in, opt_out, opted_out, registered

__all__ = ["answered", "opt_in", "opt_out", "opted_out", "registered"]
