"""Access keys of other programs for the tests: made by the manager, confirmed by the ministry."""

import datetime as dt

from appliance.models import User
from appliance.people import keys


def confirmed_key(
    *scopes: str,
    name: str = "Tizim",
    department: int | None = None,
    ends_at: dt.datetime | None = None,
) -> str:
    """The secret of a valid key with these scopes (all scopes if the call lists no scope)."""
    manager, ministry = (User.get(User.login == login) for login in ("sherzod", "bahodir"))
    key_scopes = scopes or keys.SCOPES
    key, secret = keys.create_key(
        name, key_scopes, department=department, ends_at=ends_at, by=manager
    )
    if not key.confirmed_at:
        keys.confirm_key(key, ministry)
    return secret
