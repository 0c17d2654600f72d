"""Rate limits of single views.

Only views that declare a limit have one. Requests are counted in the memory of this process, the
only one there is. Password attempts are counted by appliance.people.sign_ins.
"""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")
