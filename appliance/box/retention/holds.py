"""Legal holds: what must not go, whatever its age."""

from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import Appeal, Call, LegalHold


class HoldError(ValueError):
    """A hold cannot be set; `code`: "why" (no reason), "subject" (no such call or appeal)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def hold(kind: str, subject: str, why: str, by: str) -> LegalHold:
    """Keep a call's recordings, or an appeal with those of its call. Raises HoldError."""
    subject, why = subject.strip(), why.strip()
    known = {"call": Call.id == subject, "appeal": Appeal.number == subject}
    model = {"call": Call, "appeal": Appeal}.get(kind)
    if model is None or not model.select().where(known[kind]).exists():
        raise HoldError("subject")
    if not why:
        raise HoldError("why")
    with writing():
        made = LegalHold.create(kind=kind, subject=subject, why=why, by=by, since=clock.now())
        proof = audit.fingerprint(why)
        audit.record(by, "hold.set", f"{kind} {subject}", hold=made.id, why_sha256=proof)
        live.publish("retention")
    return made


def end(id: int, by: str) -> bool:
    """End a hold; whether there was one in force."""
    here = (LegalHold.id == id, LegalHold.ended_at.is_null())
    with writing():
        done = LegalHold.update(ended_at=clock.now(), ended_by=by).where(*here).execute()
        if done:
            audit.record(by, "hold.end", str(id))
            live.publish("retention")
    return bool(done)


def holds() -> list[LegalHold]:
    """Holds in force, the newest first."""
    in_force = LegalHold.select().where(LegalHold.ended_at.is_null())
    return list(in_force.order_by(LegalHold.id.desc()))
