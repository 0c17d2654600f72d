"""Keys of other programs for the tests: made by the manager, confirmed by the ministry."""

import datetime as dt

from appliance.models import User
from appliance.people import keys


def key_in_force(
    *scopes: str,
    name: str = "Tizim",
    department: int | None = None,
    ends_at: dt.datetime | None = None,
) -> str:
    """The secret of a key with these scopes (all of them when none is named)."""
    manager, ministry = (User.get(User.login == login) for login in ("sherzod", "bahodir"))
    asked = scopes or keys.SCOPES
    key, secret = keys.make(name, asked, department=department, ends_at=ends_at, by=manager)
    if not key.confirmed_at:
        keys.confirm(key, ministry)
    return secret
