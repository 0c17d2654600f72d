"""The last module that the fork server (forked.py) loads: what is loaded by then is no garbage.

The forks then need not search all of it again and again; `appliance web` does the same as it
begins.
"""

import gc

gc.collect()
gc.freeze()
