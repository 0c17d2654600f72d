"""The exchange with the ministry's system: sends appeals and changes, receives answers and states.

They are exchanged by HTTP (courier) or, if there is no network link, as signed files (files). The
exchange is disabled if the settings have no [ministry] part.
"""
