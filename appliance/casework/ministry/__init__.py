"""The exchange with the ministry's system: sends appeals and changes, receives answers and states.

By HTTP (courier) or, where there is no link, by signed files (files). Disabled without a
[ministry] part in the settings.
"""
