"""Contents of submitted forms that were refused, for the page that shows the reason."""

import datetime as dt
import secrets

from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.models import RefusedForm, User

RETENTION = dt.timedelta(hours=12)  # a shift
MAX_FORMS_PER_USER = 50


def save_form(user: User, address: str, trouble: str, values: dict[str, list[str]]) -> str:
    """Store the form that `user` sent to the path `address`; returns a token to find it by.

    `trouble` is the code of the refusal; `values` are the texts by field name. Also deletes all
    forms older than RETENTION, and all but the user's newest MAX_FORMS_PER_USER.
    """
    token, now = secrets.token_urlsafe(12), clock.now()
    row = {"token": token, "user": user, "address": address, "trouble": trouble, "values": values}
    with write_transaction():
        RefusedForm.insert(row | {"at": now}).execute()
        delete_older_forms(now - RETENTION)
        user_forms = RefusedForm.select(RefusedForm.token).where(RefusedForm.user == user)
        newest_tokens = user_forms.order_by(RefusedForm.at.desc()).limit(MAX_FORMS_PER_USER)
        surplus = (RefusedForm.user == user, RefusedForm.token.not_in(newest_tokens))
        RefusedForm.delete().where(*surplus).execute()
    return token


def find_form(user: User, token: str) -> RefusedForm | None:
    """The stored form of this token, if this user sent it and it is not too old."""
    form: RefusedForm | None = RefusedForm.get_or_none(
        RefusedForm.token == token,
        RefusedForm.user == user,
        RefusedForm.at > clock.now() - RETENTION,
    )
    return form


def delete_older_forms(before: dt.datetime) -> int:
    """Delete the forms stored before a time; returns how many there were."""
    count: int = RefusedForm.delete().where(RefusedForm.at <= before).execute()
    return count
