"""What the server of copies (forked.py) loads last: what is loaded by then is no garbage.

Its copies need not search all of it, as they would many times: `appliance web` does as it begins.
"""

import gc

gc.collect()
gc.freeze()
