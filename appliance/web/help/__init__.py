"""Help: the meaning of each figure."""

from appliance.web.help import figures

SCREENS = (figures.screen,)
