"""Forms that were sent and could not be done: what stood in them, for the page that says why."""

import datetime as dt
import secrets

from appliance.core import clock
from appliance.core.db import writing
from appliance.models import RefusedForm, User

KEPT = dt.timedelta(hours=12)  # a shift
MOST = 50  # of one person


def save(user: User, address: str, trouble: str, values: dict[str, list[str]]) -> str:
    """Keep what `user` sent to the path `address`; returns the name under which it is found.

    `trouble` is the code of why it could not be done, `values` the texts by the field's name.
    Whatever is older than KEPT goes, and of one person all but the newest MOST.
    """
    token, now = secrets.token_urlsafe(12), clock.now()
    row = {"token": token, "user": user, "address": address, "trouble": trouble, "values": values}
    with writing():
        RefusedForm.insert(row | {"at": now}).execute()
        forget(now - KEPT)
        own = RefusedForm.select(RefusedForm.token).where(RefusedForm.user == user)
        newest = own.order_by(RefusedForm.at.desc()).limit(MOST)
        surplus = (RefusedForm.user == user, RefusedForm.token.not_in(newest))
        RefusedForm.delete().where(*surplus).execute()
    return token


def found(user: User, token: str) -> RefusedForm | None:
    """What this person sent, by its name; nobody finds another's."""
    return RefusedForm.get_or_none(
        RefusedForm.token == token,
        RefusedForm.user == user,
        RefusedForm.at > clock.now() - KEPT,
    )


def forget(before: dt.datetime) -> int:
    """Remove what was kept before a moment; returns how many forms that were."""
    return RefusedForm.delete().where(RefusedForm.at <= before).execute()
