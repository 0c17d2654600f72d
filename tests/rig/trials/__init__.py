"""Trials of a whole site by people who call and people who answer, real SIP with sound.

`./run scenarios` proves each branch of the hotline by one scripted call, `./run load` and the
others what many calls, faults and lies do to it.
"""
