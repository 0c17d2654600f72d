"""The links to the outside: whether each works, since when, and the download rate.

Only parties that the settings name are contacted.
"""
