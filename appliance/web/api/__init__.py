"""JSON interface to appeals and reports for other programs."""

from appliance.web.api import views

SCREENS = (views.screen,)
