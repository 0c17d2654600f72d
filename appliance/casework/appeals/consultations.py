"""Consultations: an appeal may request one with a specialist, followed up until it has an outcome.

The contacted specialist is stored in the appeal, for table 5 of the ministry's report form №2.
"""

import datetime as dt

from peewee import ModelSelect

from appliance.casework.appeals import personal
from appliance.casework.appeals.queries import visible_appeals
from appliance.core import clock
from appliance.core.statements import find_row
from appliance.models import Appeal, Consultation, Handling, User
from appliance.people import rights

OVERDUE_AFTER = dt.timedelta(days=1)  # requirement A11
MAX_LISTED = 200


def start_consultation(appeal: Appeal) -> None:
    """Start the consultation that a new appeal requests, in the transaction that registers it."""
    if appeal.consultation:
        contacted_at = appeal.registered_at if appeal.consultation_contact else None
        _create_if_missing(appeal, appeal.registered_at, contacted_at)


def update_after_correction(appeal: Appeal) -> None:
    """Start or delete the consultation according to what the corrected appeal requests.

    A consultation that has an outcome is not deleted.
    """
    if appeal.consultation:
        contacted_at = clock.now() if appeal.consultation_contact else None
        _create_if_missing(appeal, clock.now(), contacted_at)
    else:
        conditions = (Consultation.appeal == appeal.id, Consultation.done_at.is_null())
        Consultation.delete().where(*conditions).execute()


def mark_specialist_contacted(appeal: Appeal) -> None:
    """Record that a specialist was contacted just now for the appeal's consultation.

    Call it in the transaction of the step.
    """
    now = clock.now()
    _create_if_missing(appeal, now, now)
    Consultation.update(contacted_at=now).where(Consultation.appeal == appeal.id).execute()


def record_outcome(appeal: Appeal, result: str, actor: str) -> None:
    """Record the outcome of the appeal's consultation, in the step's transaction.

    If it was not started, it is started now.
    """
    now = clock.now()
    _create_if_missing(appeal, now, None)
    columns = {"result": result.strip(), "done_at": now, "done_by": actor}
    Consultation.update(columns).where(Consultation.appeal == appeal.id).execute()


def consultation_of_appeal(appeal: Appeal) -> Consultation | None:
    """Return the appeal's consultation, if any."""
    return find_row(Consultation, appeal=appeal.id)


def pending_consultations(user: User) -> list[Consultation]:
    """Return the consultations without an outcome that the user follows up, oldest first.

    At most MAX_LISTED are returned.
    """
    return _veil_consultations(
        user,
        _consultation_query(user)
        .where(Consultation.done_at.is_null())
        .order_by(Consultation.asked_at, Consultation.appeal)
        .limit(MAX_LISTED),
    )


def finished_consultations(user: User, since: dt.datetime) -> list[Consultation]:
    """Return the user's consultations whose outcome was recorded since `since`.

    The newest outcomes are first; at most MAX_LISTED are returned.
    """
    return _veil_consultations(
        user,
        _consultation_query(user)
        .where(Consultation.done_at >= since)
        .order_by(Consultation.done_at.desc(), Consultation.appeal)
        .limit(MAX_LISTED),
    )


def _veil_consultations(user: User, rows: ModelSelect) -> list[Consultation]:
    """Return the consultations, without the contents of appeals that the user may not read.

    The result of such a consultation is removed, too.
    """
    consultations = list(rows)
    for consultation, appeal in zip(
        consultations,
        personal.veil_appeals(user, (row.appeal for row in consultations)),
        strict=True,
    ):
        if appeal.veiled:
            consultation.result = ""
    return consultations


def is_overdue(consultation: Consultation, now: dt.datetime) -> bool:
    """Return True if no outcome was recorded within a day of the request.

    A consultation whose outcome was recorded later than that stays overdue.
    """
    return (consultation.done_at or now) - consultation.asked_at > OVERDUE_AFTER


def _consultation_query(user: User) -> ModelSelect:
    """Return the query of consultations, each with its appeal and the appeal's handling.

    An operator gets those of the appeals they registered, another user those of all appeals that
    they may see.
    """
    query = (
        Consultation.select(Consultation, Appeal, Handling)
        .join(Appeal)
        .join(Handling, on=(Handling.appeal == Appeal.id), attr="handling")
    )
    if rights.scope_of(user, "consultation.read") == rights.OWN_RECORDS:
        return query.where(Appeal.operator == user)
    return query.where(Appeal.id.in_(visible_appeals(user).select(Appeal.id)))


def _create_if_missing(
    appeal: Appeal, asked_at: dt.datetime, contacted_at: dt.datetime | None
) -> None:
    """Start the appeal's consultation, unless it has one, which stays unchanged.

    `asked_at` is when the consultation was requested, `contacted_at` when a specialist was
    contacted, if that has been done.
    """
    row = {"appeal": appeal.id, "asked_at": asked_at, "contacted_at": contacted_at}
    Consultation.insert(row).on_conflict_ignore().execute()
