"""What appeals ask a specialist, followed up until what came of it is known.

Who was contacted stands in the appeal, for table 5 of report form №2.
"""

import datetime as dt

from peewee import ModelSelect

from appliance.casework.appeals import personal
from appliance.casework.appeals.queries import visible_to
from appliance.core import clock
from appliance.models import Appeal, Consultation, Handling, User
from appliance.people import rights

OVERDUE = dt.timedelta(days=1)  # requirement A11
MOST = 200  # of a list


def begin(appeal: Appeal) -> None:
    """Follow up what a new appeal asks for; inside the transaction that registers it."""
    if appeal.consultation:
        contacted = appeal.registered_at if appeal.consultation_contact else None
        _ask(appeal, appeal.registered_at, contacted)


def corrected(appeal: Appeal) -> None:
    """Follow up what a corrected appeal asks for now, no longer what it asks no more."""
    if appeal.consultation:
        contacted = clock.now() if appeal.consultation_contact else None
        _ask(appeal, clock.now(), contacted)
    else:
        of_it = (Consultation.appeal == appeal.id, Consultation.done_at.is_null())
        Consultation.delete().where(*of_it).execute()


def contacted(appeal: Appeal) -> None:
    """A specialist was contacted just now; inside the step's transaction."""
    now = clock.now()
    _ask(appeal, now, now)
    Consultation.update(contacted_at=now).where(Consultation.appeal == appeal.id).execute()


def concluded(appeal: Appeal, result: str, by: str) -> None:
    """What came of it is known; inside the step's transaction."""
    now = clock.now()
    _ask(appeal, now, None)
    columns = {"result": result.strip(), "done_at": now, "done_by": by}
    Consultation.update(columns).where(Consultation.appeal == appeal.id).execute()


def of_appeal(appeal: Appeal) -> Consultation | None:
    """Where an appeal's consultation stands; None when none is followed up."""
    return Consultation.get_or_none(Consultation.appeal == appeal.id)


def waiting(user: User) -> list[Consultation]:
    """Those without an outcome of the appeals that are the user's to follow up, oldest first."""
    return _veiled(
        user,
        _of(user)
        .where(Consultation.done_at.is_null())
        .order_by(Consultation.asked_at, Consultation.appeal)
        .limit(MOST),
    )


def done(user: User, since: dt.datetime) -> list[Consultation]:
    """Those whose outcome was noted since a moment, newest first."""
    return _veiled(
        user,
        _of(user)
        .where(Consultation.done_at >= since)
        .order_by(Consultation.done_at.desc(), Consultation.appeal)
        .limit(MOST),
    )


def _veiled(user: User, rows: ModelSelect) -> list[Consultation]:
    """Those of personal appeals that he does not read without what they tell."""
    found = list(rows)
    for one, appeal in zip(found, personal.veil(user, (o.appeal for o in found)), strict=True):
        if appeal.veiled:
            one.result = ""
    return found


def is_overdue(consultation: Consultation, now: dt.datetime) -> bool:
    """Whether its outcome has been waited for longer than a day."""
    return (consultation.done_at or now) - consultation.asked_at > OVERDUE


def _of(user: User) -> ModelSelect:
    """Consultations with appeal and handling: an operator's own appeals, else all he may see."""
    found = (
        Consultation.select(Consultation, Appeal, Handling)
        .join(Appeal)
        .join(Handling, on=(Handling.appeal == Appeal.id), attr="handling")
    )
    if rights.scope_of(user, "consultation.read") == rights.OWN:
        return found.where(Appeal.operator == user)
    return found.where(Appeal.id.in_(visible_to(user).select(Appeal.id)))


def _ask(appeal: Appeal, asked: dt.datetime, contacted: dt.datetime | None) -> None:
    row = {"appeal": appeal.id, "asked_at": asked, "contacted_at": contacted}
    Consultation.insert(row).on_conflict_ignore().execute()
