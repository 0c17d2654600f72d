"""A citizen is masked at his own request: found nowhere afterwards, and no figure moves."""

import datetime as dt
import json

import pytest

from appliance.box import retention
from appliance.box.retention import rules
from appliance.casework import appeals, call_forms, catalogs, data_requests, search
from appliance.casework.appeals import handling
from appliance.casework.data_requests import RequestError
from appliance.core import clock, db, outbox
from appliance.core.db import writing
from appliance.core.i18n import fold
from appliance.models import (
    Appeal,
    Call,
    DataRequest,
    EvidencePack,
    Handling,
    NumberNote,
    Recording,
    Removal,
    User,
)
from appliance.reports import files
from appliance.reports.periods import Period
from tests.casework.test_appeals import FULL
from tests.rig.citizen import PHONE, Citizen

NAME, STREET = "Kanareykina", "Kanareyka koʻchasi 7"
GIST = f"{NAME} ishga joylashish boʻyicha yordam soʻraydi, telefoni {PHONE}"
# Where a number stays: the ledger, and the lists that keep messages from it (docs/operating.md).
LEDGER = {"call", "event_row", "follow_up", "follow_up_mark", "talk", "transfer", "send_attempt"}
TRAIL = {"audit_entry", "live_event"}


@pytest.fixture
def manager(settings) -> User:
    return User.get(User.role == "manager")


@pytest.fixture
def appeal(settings, nilufar, bahodir) -> Appeal:
    """A closed appeal whose call was recorded, corrected once, with all that hangs on it."""
    told = FULL | {"surname": NAME, "address": STREET, "gist": GIST, "phone": PHONE}
    told |= {"passport": "AA7654321"}
    citizen = Citizen("hotline-1.1")
    citizen.ring(nilufar)
    citizen.talk()
    desk = appeals.at_hand(nilufar, clock.now())
    assert desk
    calendar = catalogs.working_calendar(settings)
    made = appeals.register(
        told, operator=nilufar, token=desk.token, tz=settings.tz, calendar=calendar
    )
    citizen.hang_up()
    version = Handling.get_by_id(made.id).version
    appeals.correct(made, told | {"surname": f"{NAME}a"}, "nilufar", version, calendar)
    settings.paths.recordings.mkdir(exist_ok=True)
    (settings.paths.recordings / "a.wav").write_bytes(b"RIFF")
    now = clock.now()
    Recording.create(file="a.wav", call_id="hotline-1.1", begun_at=now, seconds=2, written_at=now)
    NumberNote.create(number=PHONE, text=f"{NAME} doim qoʻngʻiroq qiladi", by="nilufar", at=now)
    EvidencePack.create(call_id="hotline-1.1", by="m", reason="x", asked_at=now, state="made")
    for number, cause in ((PHONE, made.number), (PHONE, "hotline-1.1")):
        message = outbox.put(
            "sms", "manual", number, text=f"Hurmatli {NAME}", key=cause, cause=cause
        )
        assert message
        message.state, message.ended_at = "delivered", now
        message.save()
    return Appeal.get_by_id(made.id)


def closed(appeal: Appeal) -> None:
    today = clock.now().date()
    for action, text in (("answer", f"Hurmatli {NAME}, javob"), ("close", "")):
        version = Handling.get_by_id(appeal.id).version
        handling.do(action, appeal, "bahodir", version, today, text)


def asked(settings, manager: User) -> DataRequest:
    sent = {"kind": "mask", "person": NAME, "phone": PHONE, "proof": "Pasport AA7654321"}
    return data_requests.ask(manager, sent, catalogs.working_calendar(settings))


def standing(*words: str) -> dict[str, set[str]]:
    """Table → the words that stand in any of its columns, however they are spelt."""
    found: dict[str, set[str]] = {}
    tables = db.database.execute_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    for (table,) in tables.fetchall():
        for row in db.database.execute_sql(f'SELECT * FROM "{table}"').fetchall():  # noqa: S608
            text = json.dumps([str(cell) for cell in row], ensure_ascii=False)
            if here := {word for word in words if word in text or fold(word) in fold(text)}:
                found[table] = found.get(table, set()) | here
    return found


def figures(settings) -> str:
    today = clock.now().astimezone(settings.tz).date()
    told = {}
    for name in ("monthly", "telephony"):
        period = Period(today.replace(day=1), today, settings.tz)
        report = files.build(name, settings, period, "uz_Latn")
        told[name] = files.FORMS[name].as_json(report)
    return json.dumps(told, default=str, sort_keys=True)


def test_he_is_found_nowhere_and_no_figure_moves(settings, manager, appeal) -> None:
    closed(appeal)
    request, before = asked(settings, manager), figures(settings)
    assert {"appeal", "applicant", "search_entry", "search_word"} <= set(standing(NAME))
    ticked = [f"appeal:{appeal.number}", "number"]
    retention.mask(settings, request, manager, ticked, "")
    for word in (NAME, STREET, "AA7654321"):
        assert set(standing(word)) <= TRAIL, word
    assert set(standing(PHONE.removeprefix("+"))) <= LEDGER | TRAIL
    assert figures(settings) == before
    assert search.search(NAME, user=manager) == []
    masked = Appeal.get_by_id(appeal.id)
    assert "ishga joylashish" in masked.gist  # what he asked is kept, without him (S4)
    assert (masked.region_id, masked.sex) == (appeal.region_id, appeal.sex)
    rows = list(call_forms.registrations("1", clock.now() - dt.timedelta(days=1), clock.now()))
    assert NAME not in json.dumps(rows)
    assert EvidencePack.get().state == "gone"
    assert (DataRequest.get().person, DataRequest.get().state) == ("", "done")
    assert Call.get().caller == PHONE  # the ledger is as it was


def test_an_open_or_held_appeal_stays(settings, manager, appeal) -> None:
    request = asked(settings, manager)
    ticked = [f"appeal:{appeal.number}"]
    with pytest.raises(RequestError, match="open"):
        retention.mask(settings, request, manager, ticked, "")
    closed(appeal)
    retention.hold("appeal", appeal.number, "Sud", "manager")
    with pytest.raises(RequestError, match="held"):
        retention.mask(settings, request, manager, ticked, "")
    assert Appeal.get().surname.startswith(NAME)
    assert DataRequest.get().state == "open"
    assert not Removal.select().exists()


def test_recordings_go_after_the_least_time(settings, manager, appeal, monkeypatch) -> None:
    closed(appeal)
    request = asked(settings, manager)
    retention.mask(settings, request, manager, [f"appeal:{appeal.number}"], "")
    now = clock.now()
    for days, due in ((61, 0), (63, 1)):
        then = now + dt.timedelta(days=days)
        monkeypatch.setattr(clock, "now", lambda then=then: then)
        least = rules.cutoff(settings, 2)
        assert rules.asked_away(least).count() == due
    assert rules.recordings(rules.cutoff(settings, 3)).count() == 0  # by age not yet


def test_the_text_goes_by_age_as_any_other(settings, manager, appeal, monkeypatch) -> None:
    closed(appeal)
    retention.mask(settings, asked(settings, manager), manager, [f"appeal:{appeal.number}"], "")
    then = clock.now() + dt.timedelta(days=4 * 366)
    monkeypatch.setattr(clock, "now", lambda: then)
    with writing():
        assert [one.number for one in rules.appeals(rules.cutoff(settings, 36))] == [appeal.number]
