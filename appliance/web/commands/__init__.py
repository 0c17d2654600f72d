"""The command line of every page (Ctrl+K), which finds anything that has a name or a number."""

from appliance.web.commands import page

SCREENS = (page.screen,)
