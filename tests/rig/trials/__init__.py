"""Trials of a whole site by simulated callers and operators: real SIP with sound.

`./run scenarios` proves each branch of the hotline by one scripted call; `./run load` and the
others show the effect of many calls, faults and forged messages.
"""
