"""A citizen is masked at their own request: found nowhere afterwards, and no figure changes."""

import datetime as dt
import json

import pytest

from appliance.box import retention
from appliance.box.retention import rules
from appliance.casework import call_forms, catalogs, data_requests, search
from appliance.casework.appeals import correcting, handling, registering
from appliance.casework.appeals.desk import current_desk
from appliance.core import clock, db, outbox
from appliance.core.db import write_transaction
from appliance.core.i18n import fold_text
from appliance.core.refusals import Refused
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
from tests.rig.appeals import FULL_FORM
from tests.rig.citizen import CITIZEN_NUMBER, Citizen

NAME, ADDRESS = "Kanareykina", "Kanareyka koʻchasi 7"
GIST = f"{NAME} ishga joylashish boʻyicha yordam soʻraydi, telefoni {CITIZEN_NUMBER}"
# The tables in which a number stays: the ledger, and the opt-out lists (operating/audit.md).
LEDGER_TABLES = {
    "call",
    "event_row",
    "follow_up",
    "follow_up_mark",
    "talk",
    "transfer",
    "send_attempt",
}
TRAIL_TABLES = {"audit_entry", "live_event"}


@pytest.fixture
def manager(settings) -> User:
    return User.get(User.role == "manager")


@pytest.fixture
def appeal(settings, nilufar, bahodir) -> Appeal:
    """A closed appeal with a recorded call, corrected once, with all records linked to it."""
    values = FULL_FORM | {
        "surname": NAME,
        "address": ADDRESS,
        "gist": GIST,
        "phone": CITIZEN_NUMBER,
    }
    values |= {"passport": "AA7654321"}
    citizen = Citizen("hotline-1.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    desk = current_desk(nilufar, clock.now())
    assert desk
    calendar = catalogs.working_calendar(settings)
    registered_appeal = registering.register(
        values, operator=nilufar, token=desk.token, tz=settings.tz, calendar=calendar
    )
    citizen.hang_up()
    version = Handling.get_by_id(registered_appeal.id).version
    correcting.correct_appeal(
        registered_appeal, values | {"surname": f"{NAME}a"}, "nilufar", version, calendar
    )
    settings.paths.recordings.mkdir(exist_ok=True)
    (settings.paths.recordings / "a.wav").write_bytes(b"RIFF")
    now = clock.now()
    Recording.create(file="a.wav", call_id="hotline-1.1", begun_at=now, seconds=2, written_at=now)
    NumberNote.create(
        number=CITIZEN_NUMBER, text=f"{NAME} doim qoʻngʻiroq qiladi", by="nilufar", at=now
    )
    EvidencePack.create(call_id="hotline-1.1", by="m", reason="x", asked_at=now, state="made")
    for number, cause in (
        (CITIZEN_NUMBER, registered_appeal.number),
        (CITIZEN_NUMBER, "hotline-1.1"),
    ):
        message = outbox.queue_message(
            "sms", "manual", number, text=f"Hurmatli {NAME}", key=cause, cause=cause
        )
        assert message
        message.state, message.ended_at = "delivered", now
        message.save()
    return Appeal.get_by_id(registered_appeal.id)


def answer_and_close(appeal: Appeal) -> None:
    today = clock.now().date()
    for action, text in (("answer", f"Hurmatli {NAME}, javob"), ("close", "")):
        version = Handling.get_by_id(appeal.id).version
        handling.perform_step(
            appeal, action, actor="bahodir", expected_version=version, today=today, text=text
        )


def create_mask_request(settings, manager: User) -> DataRequest:
    values = {"kind": "mask", "person": NAME, "phone": CITIZEN_NUMBER, "proof": "Pasport AA7654321"}
    return data_requests.register_data_request(manager, values, catalogs.working_calendar(settings))


def tables_containing(*words: str) -> dict[str, set[str]]:
    """Table → the words that occur in any of its columns, in any spelling."""
    words_by_table: dict[str, set[str]] = {}
    tables = db.database.execute_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    for (table,) in tables.fetchall():
        for row in db.database.execute_sql(f'SELECT * FROM "{table}"').fetchall():  # noqa: S608
            text = json.dumps([str(cell) for cell in row], ensure_ascii=False)
            if row_words := {
                word for word in words if word in text or fold_text(word) in fold_text(text)
            }:
                words_by_table[table] = words_by_table.get(table, set()) | row_words
    return words_by_table


def report_figures(settings) -> str:
    today = clock.now().astimezone(settings.tz).date()
    figures_by_report = {}
    for name in ("monthly", "telephony"):
        period = Period(today.replace(day=1), today, settings.tz)
        report = files.build_report(name, settings, period, "uz_Latn")
        figures_by_report[name] = files.FORMS[name].as_json(report)
    return json.dumps(figures_by_report, default=str, sort_keys=True)


def test_after_masking_the_citizen_is_found_nowhere_and_no_figure_changes(
    settings, manager, appeal
) -> None:
    answer_and_close(appeal)
    request, before = create_mask_request(settings, manager), report_figures(settings)
    assert {"appeal", "applicant", "search_entry", "search_word"} <= set(tables_containing(NAME))
    ticked = [f"appeal:{appeal.number}", "number"]
    retention.mask_citizen(settings, request, manager, ticked, "")
    for word in (NAME, ADDRESS, "AA7654321"):
        assert set(tables_containing(word)) <= TRAIL_TABLES, word
    assert set(tables_containing(CITIZEN_NUMBER.removeprefix("+"))) <= LEDGER_TABLES | TRAIL_TABLES
    assert report_figures(settings) == before
    assert search.find_hits(NAME, user=manager) == []
    masked = Appeal.get_by_id(appeal.id)
    # the content of the request is kept, without the person (S4)
    assert "ishga joylashish" in masked.gist
    assert (masked.region_id, masked.sex) == (appeal.region_id, appeal.sex)
    rows = list(
        call_forms.iterate_registrations("1", clock.now() - dt.timedelta(days=1), clock.now())
    )
    assert NAME not in json.dumps(rows)
    assert EvidencePack.get().state == "gone"
    assert (DataRequest.get().person, DataRequest.get().state) == ("", "done")
    assert Call.get().caller == CITIZEN_NUMBER  # the ledger is unchanged


def test_an_open_or_held_appeal_is_not_masked(settings, manager, appeal) -> None:
    request = create_mask_request(settings, manager)
    ticked = [f"appeal:{appeal.number}"]
    with pytest.raises(Refused, match="open"):
        retention.mask_citizen(settings, request, manager, ticked, "")
    answer_and_close(appeal)
    retention.set_hold("appeal", appeal.number, "Sud", "manager")
    with pytest.raises(Refused, match="held"):
        retention.mask_citizen(settings, request, manager, ticked, "")
    assert Appeal.get().surname.startswith(NAME)
    assert DataRequest.get().state == "open"
    assert not Removal.select().exists()


def test_recordings_are_removed_after_the_minimum_time(
    settings, manager, appeal, monkeypatch
) -> None:
    answer_and_close(appeal)
    request = create_mask_request(settings, manager)
    retention.mask_citizen(settings, request, manager, [f"appeal:{appeal.number}"], "")
    now = clock.now()
    for days, due in ((61, 0), (63, 1)):
        then = now + dt.timedelta(days=days)
        monkeypatch.setattr(clock, "now", lambda then=then: then)
        least = rules.retention_cutoff(settings, 2)
        assert rules.due_masked_recordings(least).count() == due
    # not yet due by age
    assert rules.due_recordings(rules.retention_cutoff(settings, 3)).count() == 0


def test_the_text_is_removed_by_age_like_any_other(settings, manager, appeal, monkeypatch) -> None:
    answer_and_close(appeal)
    retention.mask_citizen(
        settings, create_mask_request(settings, manager), manager, [f"appeal:{appeal.number}"], ""
    )
    then = clock.now() + dt.timedelta(days=4 * 366)
    monkeypatch.setattr(clock, "now", lambda: then)
    with write_transaction():
        assert [
            appeal_row.number
            for appeal_row in rules.due_appeals(rules.retention_cutoff(settings, 36))
        ] == [appeal.number]
