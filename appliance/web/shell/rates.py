"""How often one may try.

Only what a view limits by itself; no limit on all pages. Counted in this process's memory, which is
the only one there is. Passwords are counted by appliance.people.sign_ins.
"""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")
