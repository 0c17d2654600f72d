"""Consultations are followed up from request to outcome, by users who may see the appeal."""

import datetime as dt

import pytest

from appliance.casework.appeals import consultations, correcting, handling, registering
from appliance.casework.forms import drafts
from appliance.core import clock
from appliance.core.audit.table import AuditEntry
from appliance.core.refusals import Refused
from appliance.models import Appeal, Consultation, Handling
from tests.rig.appeals import FULL_FORM

CONSULTATION_VALUES = {"consultation": "1", "consultation_issue": "Nafaqa"}


@pytest.fixture
def register(settings, nilufar):
    def register(by=None, **other) -> Appeal:
        by = by or nilufar
        token = drafts.token_for(by, None)
        return registering.register(FULL_FORM | other, operator=by, token=token, tz=settings.tz)

    return register


def handling_version(appeal: Appeal) -> int:
    return Handling.get_by_id(appeal.id).version


def appeal_numbers(followups: list[Consultation]) -> list[str]:
    return [followup.appeal.number for followup in followups]


def test_only_an_appeal_with_a_requested_consultation_is_followed_up(register, nilufar) -> None:
    register()
    appeal = register(**CONSULTATION_VALUES)
    assert appeal_numbers(consultations.pending_consultations(nilufar)) == [appeal.number]
    consultation = consultations.consultation_of_appeal(appeal)
    assert (consultation.asked_at, consultation.contacted_at) == (appeal.registered_at, None)


def test_a_specialist_entered_on_the_form_counts_as_contacted(register) -> None:
    appeal = register(**CONSULTATION_VALUES, consultation_contact="A. Sobirov")
    assert consultations.consultation_of_appeal(appeal).contacted_at == appeal.registered_at


def test_a_consultation_is_contacted_and_concluded(register, nilufar, at_noon) -> None:
    appeal = register(**CONSULTATION_VALUES)
    handling.record_specialist_contact(appeal, "A. Sobirov", "nilufar", handling_version(appeal))
    assert consultations.consultation_of_appeal(appeal).contacted_at == at_noon
    with pytest.raises(Refused, match="words"):
        handling.record_consultation_outcome(appeal, " ", "nilufar", handling_version(appeal))
    with pytest.raises(Refused, match="changed"):
        handling.record_consultation_outcome(appeal, "Tushuntirildi", "nilufar", 1)
    assert appeal_numbers(consultations.pending_consultations(nilufar)) == [appeal.number]
    handling.record_consultation_outcome(
        appeal, "Tushuntirildi", "nilufar", handling_version(appeal)
    )
    assert consultations.pending_consultations(nilufar) == []
    [concluded] = consultations.finished_consultations(nilufar, at_noon)
    assert (concluded.result, concluded.done_by, concluded.done_at) == (
        "Tushuntirildi",
        "nilufar",
        at_noon,
    )
    assert AuditEntry.get(AuditEntry.action == "appeal.conclude").subject == appeal.number
    assert Appeal.get_by_id(appeal.id).consultation_contact == "A. Sobirov"


def test_a_consultation_is_overdue_after_a_day(register, at_noon, monkeypatch) -> None:
    consultation = consultations.consultation_of_appeal(register(**CONSULTATION_VALUES))
    day = dt.timedelta(days=1)
    assert not consultations.is_overdue(consultation, at_noon + day)
    assert consultations.is_overdue(consultation, at_noon + day + dt.timedelta(seconds=1))
    monkeypatch.setattr(clock, "now", lambda: at_noon + 2 * day)
    handling.record_consultation_outcome(
        consultation.appeal, "Kech", "nilufar", handling_version(consultation.appeal)
    )
    assert consultations.is_overdue(
        consultations.consultation_of_appeal(consultation.appeal), at_noon
    )


def test_a_correction_adds_or_removes_the_consultation(register, nilufar, settings) -> None:
    calendar = handling.WorkingCalendar(settings.tz, dt.time(9), dt.time(18), {})
    appeal = register()
    correcting.correct_appeal(appeal, FULL_FORM | CONSULTATION_VALUES, "nilufar", 1, calendar)
    assert appeal_numbers(consultations.pending_consultations(nilufar)) == [appeal.number]
    correcting.correct_appeal(Appeal.get_by_id(appeal.id), FULL_FORM, "nilufar", 2, calendar)
    assert consultations.pending_consultations(nilufar) == []


def test_users_see_only_consultations_of_appeals_they_may_see(
    register, nilufar, sardor, dilnoza, sherzod, oybek
) -> None:
    first, second = register(**CONSULTATION_VALUES), register(by=sardor, **CONSULTATION_VALUES)
    assert appeal_numbers(consultations.pending_consultations(nilufar)) == [first.number]
    assert appeal_numbers(consultations.pending_consultations(sardor)) == [second.number]
    for user in (dilnoza, sherzod):
        assert appeal_numbers(consultations.pending_consultations(user)) == [
            first.number,
            second.number,
        ]
    assert consultations.pending_consultations(oybek) == []
