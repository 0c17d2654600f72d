"""The changes made for a request: by whom, when, and the differences."""

from collections.abc import Mapping

from appliance.casework.changes.requests import TOPIC
from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.models import ChangeLink, ChangeRequest, User

LINK_KINDS = (
    *("routing", "prompt", "department", "direction", "employee"),
    *("list", "form", "article", "script"),
)

type Fields = Mapping[str, str | None]  # the text of each field; None if it does not exist


def link_change(
    request: ChangeRequest,
    user: User,
    kind: str,
    ref: str,
    title: str,
    old_fields: Fields,
    new_fields: Fields,
) -> ChangeLink | None:
    """Record a change that was made for an open request.

    `kind` is one of LINK_KINDS, `ref` identifies the changed object as in its page's address,
    `title` is its name. `old_fields` and `new_fields` are its texts before and after. Only the
    fields that differ are stored. Returns None, and stores nothing, if no field differs or the
    request is closed. Raises ValueError for another kind.
    """
    if kind not in LINK_KINDS:
        raise ValueError(f"nothing of the kind {kind!r} is changed for a request")
    fields = dict.fromkeys((*old_fields, *new_fields))
    changed_names = [
        name for name in fields if (old_fields.get(name) or "") != (new_fields.get(name) or "")
    ]
    if not changed_names:
        return None
    with write_transaction():
        open_request = ChangeRequest.select().where(
            ChangeRequest.id == request.id, ChangeRequest.is_open
        )
        if not open_request.exists():
            return None
        link_row: ChangeLink = ChangeLink.create(
            request=request,
            at=clock.now(),
            who=user.login,
            kind=kind,
            ref=ref,
            title=title,
            before={name: old_fields.get(name) for name in changed_names},
            after={name: new_fields.get(name) for name in changed_names},
        )
        audit.record_entry(user.login, "change.link", str(request.id), kind=kind, ref=ref)
        live.publish_topics(TOPIC)
    return link_row


def links_of_request(request: ChangeRequest) -> list[ChangeLink]:
    """Return the changes made for a request, newest first."""
    links = ChangeLink.select().where(ChangeLink.request == request)
    return list(links.order_by(ChangeLink.at.desc(), ChangeLink.id.desc()))
