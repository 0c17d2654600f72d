"""Legal holds: calls and appeals that must not be removed, whatever their age."""

from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.models import Appeal, Call, LegalHold


def set_hold(kind: str, subject: str, reason: str, by: str) -> LegalHold:
    """Put a call, or an appeal with its call, on hold; its recordings are kept as well.

    Raises Refused "subject" if there is no such call or appeal, "why" if no reason is given.
    """
    subject, reason = subject.strip(), reason.strip()
    conditions = {"call": Call.id == subject, "appeal": Appeal.number == subject}
    model = {"call": Call, "appeal": Appeal}.get(kind)
    if model is None or not model.select().where(conditions[kind]).exists():
        raise Refused("subject")
    if not reason:
        raise Refused("why")
    with write_transaction():
        new_hold: LegalHold = LegalHold.create(
            kind=kind, subject=subject, why=reason, by=by, since=clock.now()
        )
        fingerprint = audit.text_fingerprint(reason)
        audit.record_entry(
            by, "hold.set", f"{kind} {subject}", hold=new_hold.id, why_sha256=fingerprint
        )
        live.publish_topics("retention")
    return new_hold


def end_hold(id: int, by: str) -> bool:
    """End a hold. Returns True if it was active."""
    is_active = (LegalHold.id == id, LegalHold.ended_at.is_null())
    with write_transaction():
        updated = LegalHold.update(ended_at=clock.now(), ended_by=by).where(*is_active).execute()
        if updated:
            audit.record_entry(by, "hold.end", str(id))
            live.publish_topics("retention")
    return bool(updated)


def active_holds() -> list[LegalHold]:
    """Return the active holds, newest first."""
    active = LegalHold.select().where(LegalHold.ended_at.is_null())
    return list(active.order_by(LegalHold.id.desc()))
