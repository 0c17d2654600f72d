"""Consultations are followed up from the asking to the outcome, each by who may see the appeal."""

import datetime as dt

import pytest

from appliance.casework import appeals
from appliance.casework.appeals import consultations, handling
from appliance.casework.appeals.handling import HandlingError
from appliance.core import clock
from appliance.core.audit.table import AuditEntry
from appliance.models import Appeal, Consultation, Handling
from tests.casework.test_appeals import FULL

ASKED = {"consultation": "1", "consultation_issue": "Nafaqa"}


@pytest.fixture
def register(settings, nilufar):
    def register(by=None, **other) -> Appeal:
        by = by or nilufar
        token = appeals.token_for(by, None)
        return appeals.register(FULL | other, operator=by, token=token, tz=settings.tz)

    return register


def version(appeal: Appeal) -> int:
    return Handling.get_by_id(appeal.id).version


def numbers(found: list[Consultation]) -> list[str]:
    return [one.appeal.number for one in found]


def test_only_who_asks_is_followed_up(register, nilufar) -> None:
    register()
    asked = register(**ASKED)
    assert numbers(consultations.waiting(nilufar)) == [asked.number]
    found = consultations.of_appeal(asked)
    assert (found.asked_at, found.contacted_at) == (asked.registered_at, None)


def test_a_specialist_named_on_the_form_was_contacted(register) -> None:
    appeal = register(**ASKED, consultation_contact="A. Sobirov")
    assert consultations.of_appeal(appeal).contacted_at == appeal.registered_at


def test_it_is_contacted_and_concluded(register, nilufar, at_noon) -> None:
    appeal = register(**ASKED)
    handling.consult(appeal, "A. Sobirov", "nilufar", version(appeal))
    assert consultations.of_appeal(appeal).contacted_at == at_noon
    with pytest.raises(HandlingError, match="words"):
        handling.conclude(appeal, " ", "nilufar", version(appeal))
    with pytest.raises(HandlingError, match="changed"):
        handling.conclude(appeal, "Tushuntirildi", "nilufar", 1)
    assert numbers(consultations.waiting(nilufar)) == [appeal.number]
    handling.conclude(appeal, "Tushuntirildi", "nilufar", version(appeal))
    assert consultations.waiting(nilufar) == []
    [done] = consultations.done(nilufar, at_noon)
    assert (done.result, done.done_by, done.done_at) == ("Tushuntirildi", "nilufar", at_noon)
    assert AuditEntry.get(AuditEntry.action == "appeal.conclude").subject == appeal.number
    assert Appeal.get_by_id(appeal.id).consultation_contact == "A. Sobirov"


def test_it_is_overdue_after_a_day(register, at_noon, monkeypatch) -> None:
    found = consultations.of_appeal(register(**ASKED))
    day = dt.timedelta(days=1)
    assert not consultations.is_overdue(found, at_noon + day)
    assert consultations.is_overdue(found, at_noon + day + dt.timedelta(seconds=1))
    monkeypatch.setattr(clock, "now", lambda: at_noon + 2 * day)
    handling.conclude(found.appeal, "Kech", "nilufar", version(found.appeal))
    assert consultations.is_overdue(consultations.of_appeal(found.appeal), at_noon)


def test_a_correction_asks_for_it_or_no_more(register, nilufar, settings) -> None:
    calendar = handling.WorkingCalendar(settings.tz, dt.time(9), dt.time(18), {})
    appeal = register()
    appeals.correct(appeal, FULL | ASKED, "nilufar", 1, calendar)
    assert numbers(consultations.waiting(nilufar)) == [appeal.number]
    appeals.correct(Appeal.get_by_id(appeal.id), FULL, "nilufar", 2, calendar)
    assert consultations.waiting(nilufar) == []


def test_each_sees_those_that_are_his(register, nilufar, sardor, dilnoza, sherzod, oybek) -> None:
    first, second = register(**ASKED), register(by=sardor, **ASKED)
    assert numbers(consultations.waiting(nilufar)) == [first.number]
    assert numbers(consultations.waiting(sardor)) == [second.number]
    for user in (dilnoza, sherzod):
        assert numbers(consultations.waiting(user)) == [first.number, second.number]
    assert consultations.waiting(oybek) == []
