"""What was changed for a request: by whom, when, and the difference."""

from collections.abc import Mapping

from appliance.casework.changes.requests import TOPIC
from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import ChangeLink, ChangeRequest, User

KINDS = (
    *("routing", "prompt", "department", "direction", "employee"),
    *("list", "form", "article", "script"),
)

type Fields = Mapping[str, str | None]  # field → text; None: it is not there


def link(
    request: ChangeRequest,
    user: User,
    kind: str,
    ref: str,
    title: str,
    before: Fields,
    after: Fields,
) -> ChangeLink | None:
    """Write down at an open request what was changed for it; None when nothing differs.

    `kind` is one of KINDS, `ref` names the thing as its page's address does, `title` is what it is
    called; only fields that differ are kept. None too when the request was done meanwhile.
    """
    if kind not in KINDS:
        raise ValueError(f"nothing of the kind {kind!r} is changed for a request")
    fields = dict.fromkeys((*before, *after))
    differ = [name for name in fields if (before.get(name) or "") != (after.get(name) or "")]
    if not differ:
        return None
    with writing():
        is_open = ChangeRequest.select().where(
            ChangeRequest.id == request.id, ChangeRequest.is_open
        )
        if not is_open.exists():
            return None
        made = ChangeLink.create(
            request=request,
            at=clock.now(),
            who=user.login,
            kind=kind,
            ref=ref,
            title=title,
            before={name: before.get(name) for name in differ},
            after={name: after.get(name) for name in differ},
        )
        audit.record(user.login, "change.link", str(request.id), kind=kind, ref=ref)
        live.publish(TOPIC)
    return made


def of_request(request: ChangeRequest) -> list[ChangeLink]:
    """What was changed for a request, newest first."""
    theirs = ChangeLink.select().where(ChangeLink.request == request)
    return list(theirs.order_by(ChangeLink.at.desc(), ChangeLink.id.desc()))
