"""How often one may try: counted in this process's memory, which is the only one there is."""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

# Only what a view limits by itself; no limit on all pages.
limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")
