"""What is removed once old enough, and not a day before; real files; each removal is recorded."""

import csv
import dataclasses
import datetime as dt
import functools
import io
import os

import pytest

from appliance.box import health, retention
from appliance.box.retention import rules
from appliance.core import clock
from appliance.core import settings as site_settings
from appliance.core.refusals import Refused
from appliance.core.settings import Backup, Retention, SettingsError
from appliance.models import (
    Appeal,
    AppealStep,
    AppealWording,
    Applicant,
    AuditEntry,
    Call,
    DiskReading,
    Handling,
    Message,
    Recording,
    Removal,
)
from appliance.reports import periods
from appliance.reports.quarterly import activity
from appliance.telephony import recordings
from tests.box import retained
from tests.box.retained import MINUTE, midnight_years_ago
from tests.box.retained import close_appeal as closed


@pytest.fixture
def site(settings, at_noon):
    """A site with the shortest permitted periods, whose job ran last night."""
    retained.create_run(clock.now() - retained.DAY)
    return dataclasses.replace(settings, retention=Retention(2, 2))


@pytest.fixture
def limit(site):
    return retained.time_two_months_ago(site)


@pytest.fixture
def recorded(site):
    return functools.partial(retained.create_recording, site)


@pytest.fixture
def register(site, nilufar):
    return functools.partial(retained.register_appeal, site, nilufar)


def relative_name(site, path):
    return path.relative_to(site.paths.recordings).as_posix()


@pytest.mark.parametrize(
    "line", ["recordings_months = 1", "appeals_years = 1", "appeals_years = 0"]
)
def test_periods_below_the_required_minimum_are_refused(settings, line) -> None:
    settings.file.write_text(f"{settings.file.read_text()}\n[retention]\n{line}\n")
    with pytest.raises(SettingsError, match="at least 2"):
        site_settings.load_settings(settings.file)


def test_only_older_recordings_are_removed_and_recorded(site, recorded, limit) -> None:
    old = recorded("1.1", limit - MINUTE)
    young = recorded("1.2", limit + MINUTE)
    removed = retention.remove_due(site)
    assert (removed.recordings, removed.appeals) == (1, 0)
    assert not old.exists()
    assert young.exists()
    [row] = retention.recent_removals()
    assert (row.kind, row.subject, row.rule) == (
        "recording",
        relative_name(site, old),
        "recordings_months=2",
    )
    assert row.detail == {
        "call": "1.1",
        "seconds": 9.0,
        "sha256": "abc",
        "bytes": 4,
        "was_there": True,
    }
    assert Recording.select().count() == 2  # the ledger keeps its rows
    assert AuditEntry.get(AuditEntry.action == "retention.remove").who == "jobs"
    assert not retention.remove_due(site)


@pytest.mark.parametrize("which", ["written_at", "touched"])
def test_a_recording_written_later_is_kept(site, recorded, limit, which) -> None:
    path = recorded("1.1", limit - MINUTE, **{which: limit + MINUTE})
    assert not retention.remove_due(site)
    assert path.exists()


def test_recordings_of_holds_and_open_appeals_are_kept(site, recorded, register, limit) -> None:
    paths = [recorded(f"1.{number}", limit - MINUTE) for number in range(4)]
    held_call = retention.set_hold("call", "1.0", "sud", "sherzod")
    held_appeal = register("1.1")
    closed(held_appeal, clock.now())
    retention.set_hold("appeal", held_appeal.number, "tergov", "sherzod")
    register("1.2")
    assert retention.remove_due(site).recordings == 1
    assert [path.exists() for path in paths] == [True, True, True, False]
    assert retention.end_hold(held_call.id, "sherzod")
    assert not retention.end_hold(held_call.id, "sherzod")
    assert retention.remove_due(site).recordings == 1
    assert not paths[0].exists()


@pytest.mark.parametrize("reason", ["held", "open"])
def test_calls_placed_for_an_appeal_are_kept_with_it(
    site, recorded, register, limit, reason
) -> None:
    """ "Call the applicant" sets `serves` to the appeal's number; earlier, to the id of
    its call.
    """
    appeal = register("1.0")
    old = limit - MINUTE
    of_appeal = [
        recorded("1.0", old),
        recorded("1.1", old, direction="outbound", serves=appeal.number),
        recorded("1.2", old, direction="outbound", serves="1.0"),
    ]
    other_recordings = [
        recorded("1.3", old, direction="outbound", serves="2026-999999"),
        recorded("1.4", old, direction="outbound", serves="1.3"),
    ]
    if reason == "held":
        closed(appeal, clock.now())
        hold = retention.set_hold("appeal", appeal.number, "sud", "sherzod")
    assert retention.remove_due(site).recordings == 2
    assert all(path.exists() for path in of_appeal)
    assert not any(path.exists() for path in other_recordings)
    if reason == "held":
        retention.end_hold(hold.id, "sherzod")
    else:
        closed(appeal, clock.now())
    assert retention.remove_due(site).recordings == 3


def test_calls_placed_for_a_held_call_are_kept_with_it(site, recorded, limit) -> None:
    recorded("1.0", limit - MINUTE)
    recorded("1.1", limit - MINUTE, direction="outbound", serves="1.0")
    retention.set_hold("call", "1.0", "sud", "sherzod")
    assert not retention.remove_due(site)


def test_a_hold_needs_an_existing_subject(site) -> None:
    for kind, subject, code in (("call", "9.9", "subject"), ("file", "1", "subject")):
        with pytest.raises(Refused) as error:
            retention.set_hold(kind, subject, "sud", "sherzod")
        assert error.value.code == code


def test_a_missing_file_is_recorded_and_files_outside_are_never_touched(
    site, recorded, limit
) -> None:
    recorded("1.1", limit - MINUTE).unlink()
    outside = site.paths.database.parent / "outside.wav"
    outside.write_bytes(b"x")
    os.utime(outside, (0, 0))
    old = limit - MINUTE
    Recording.create(file="../outside.wav", call_id="1.1", seconds=1.0, written_at=old)
    retention.remove_due(site)
    assert [row.detail["was_there"] for row in retention.recent_removals()] == [False]
    assert outside.exists()


def test_removal_stops_when_requested(site, recorded, limit) -> None:
    for number in range(3):
        recorded(f"1.{number}", limit - MINUTE)
    more = iter([True])
    assert retention.remove_due(site, lambda: next(more, False)).recordings == 1


def test_personal_data_of_a_closed_appeal_are_removed_and_its_statistics_kept(
    site, register
) -> None:
    old = register(phone="+998935550147", gist="Nafaqa")
    closed(old, midnight_years_ago(site, 2) - dt.timedelta(days=1))
    AppealWording.create(
        appeal=old, number=1, values={"surname": "Karimova"}, until=clock.now(), replaced_by="x"
    )
    Message.create(
        channel="sms",
        purpose="registered",
        recipient="+998935550147",
        key="1",
        text="x",
        cause=old.number,
        state="sent",
        created_at=clock.now(),
        wanted_at=clock.now(),
        due_at=clock.now(),
        expires_at=clock.now(),
    )
    young = register(surname="Tursunova", pinfl="", phone="+998935550148")
    closed(young, midnight_years_ago(site, 2) + dt.timedelta(days=1))
    still_open = register(surname="Aliyeva", pinfl="", phone="+998935550149")
    Handling.update(changed_at=midnight_years_ago(site, 3)).where(
        Handling.appeal == still_open
    ).execute()
    Appeal.update(registered_at=midnight_years_ago(site, 3)).where(
        Appeal.id == still_open.id
    ).execute()

    assert retention.remove_due(site).appeals == 1
    masked = Appeal.get_by_id(old.id)
    assert (masked.surname, masked.pinfl, masked.phone, masked.gist, masked.born_on) == (
        *("",) * 4,
        None,
    )
    assert (masked.number, masked.region_id, masked.direction) == (
        old.number,
        old.region_id,
        old.direction,
    )
    person = Applicant.get_by_id(old.applicant_id)
    assert (person.surname, person.pinfl, person.search_key) == ("", "", "")
    assert not AppealStep.select().where(AppealStep.appeal == old, AppealStep.text != "").exists()
    assert AppealWording.get().values == {"surname": ""}
    assert (Message.get().recipient, Message.get().text) == ("", "")
    assert Appeal.get_by_id(young.id).surname == "Tursunova"
    assert Appeal.get_by_id(still_open.id).surname == "Aliyeva"
    assert [(row.kind, row.subject) for row in retention.recent_removals()] == [
        ("appeal", old.number)
    ]
    assert not retention.remove_due(site)


def test_an_applicant_with_a_younger_appeal_is_kept(site, register) -> None:
    old, young = register(), register()
    closed(old, midnight_years_ago(site, 3))
    closed(young, clock.now())
    retention.remove_due(site)
    assert Applicant.get_by_id(young.applicant_id).surname
    assert not Appeal.get_by_id(old.id).surname


def create_readings(site, used, disk="recordings"):
    today = clock.now().astimezone(site.tz).date()
    for ago, share in enumerate(reversed(used)):
        day = today - dt.timedelta(days=ago)
        DiskReading.create(disk=disk, day=day, used=share * 10**9, total=100 * 10**9)


@pytest.mark.parametrize(
    ("used", "days"),
    [
        ([60, 61, 62, 63, 64, 65, 66], 34),
        ([85, 86, 87, 88, 89, 90], None),  # too few days
        ([60] * 7, None),
        ([70, 68, 66, 64, 62, 60, 58], None),
        ([93, 94, 95, 96, 97, 98, 99], 1),
    ],
)
def test_the_day_a_disk_will_be_full_is_forecast(site, used, days) -> None:
    create_readings(site, used)
    full_on = retention.disk_forecast(site, "recordings").full_on
    today = clock.now().astimezone(site.tz).date()
    assert full_on == (None if days is None else today + dt.timedelta(days=days))
    state = {c.code: c.state for c in health.all_checks(site)}.get("disk.recordings.full")
    assert state == (None if days is None else "fail" if days < 14 else "warn")


def test_disks_are_read_once_a_day(site) -> None:
    retention.record_disk_usage(site)
    retention.record_disk_usage(site)
    assert DiskReading.select().count() == 2


def test_the_manager_sees_due_recordings_and_holds_them_back(
    site, app, login_as, recorded, limit
) -> None:
    app.config["SITE"] = site
    recorded("1.1", limit - MINUTE)
    browser = login_as("manager")
    [today, *later] = retention.upcoming_removals(site)
    assert (today.recordings, sum(row.recordings for row in later)) == (1, 0)
    wrong = browser.send("/retention/holds", kind="call", subject="1.1", why=" ")
    assert 'value="1.1"' in browser.refused_page(wrong)
    assert (
        browser.send("/retention/holds", kind="call", subject="1.1", why="sud").status_code == 302
    )
    page = browser.get("/retention").text
    assert "sud" in page
    assert retention.upcoming_removals(site)[0].recordings == 0
    [hold] = retention.active_holds()
    assert browser.send(f"/retention/holds/{hold.id}/end").status_code == 302
    retention.remove_due(site)
    assert "/1.1.wav" in browser.get("/retention").text


def test_an_unmeasured_recording_is_judged_by_its_call(site, recorded, limit) -> None:
    """Its call is young, whatever is unknown about the file."""
    recorded("1.1", clock.now() - MINUTE)
    recorded("1.2", clock.now() - MINUTE, written_at=limit - MINUTE)  # dated by a wrong clock
    recorded("1.3", limit - MINUTE)
    Recording.update(written_at=None).where(Recording.call_id.in_(["1.1", "1.3"])).execute()
    assert [row.call_id for row in rules.due_recordings(limit)] == ["1.3"]


def test_a_compressed_recording_is_removed_too(site, recorded, limit) -> None:
    path = recorded("1.1", limit - MINUTE)
    small = path.with_suffix(".ogg")
    path.rename(small)
    Recording.update(kept=relative_name(site, small)).execute()
    assert retention.remove_due(site).recordings == 1
    assert not small.exists()
    assert retention.recent_removals()[0].detail["bytes"] == 4
    assert Recording.get().kept == ""


def test_a_removed_recording_is_neither_played_nor_reported_as_stored(
    site, recorded, limit
) -> None:
    recorded("1.1", limit - MINUTE)
    Call.update(outcome="answered").execute()
    period = periods.quarter_name(limit.astimezone(site.tz).date())
    quarter = periods.parse_quarter(period, site.tz)
    assert recordings.files_of_call("1.1")
    retention.remove_due(site)
    assert not recordings.files_of_call("1.1")
    assert activity._recordings_fact(site, quarter).oldest is None


def test_the_technician_sees_removals_but_cannot_hold_them_back(
    site, app, login_as, recorded, limit
) -> None:
    app.config["SITE"] = site
    recorded("1.1", limit - MINUTE)
    hold = retention.set_hold("call", "1.1", "sud", "sherzod")
    browser = login_as("technician")
    page = browser.get("/retention").text
    assert "1.1" in page
    assert 'action="/retention/holds' not in page
    assert (
        browser.send("/retention/holds", kind="call", subject="1.1", why="sud").status_code == 403
    )
    assert browser.send(f"/retention/holds/{hold.id}/end").status_code == 403
    assert 'action="/retention/holds' in login_as("manager").get("/retention").text


def test_the_page_shows_how_long_snapshots_keep_removed_data(site, app, login_as) -> None:
    backup = Backup("usb", "/backup", site.file, keep_monthly=98765)
    app.config["SITE"] = site
    browser = login_as("manager")
    assert "98765" not in browser.get("/retention").text
    app.config["SITE"] = dataclasses.replace(site, backups=(backup,))
    assert "98765" in browser.get("/retention").text


def csv_rows(answer):
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_the_table_contains_every_removal_of_a_period(site, app, login_as, limit) -> None:
    app.config["SITE"] = site
    now = clock.now()
    today, yesterday = (f"{at.astimezone(site.tz):%d.%m.%Y}" for at in (now, now - retained.DAY))
    Removal.insert_many(
        {
            "kind": "recording",
            "subject": f"{number}.wav",
            "at": now - (number > 1200) * retained.DAY,
            "rule": "recordings_months=2",
            "detail": {"call": f"1.{number}", "sha256": "abc", "bytes": 7},
        }
        for number in range(1, 1203)  # more than the page shows, and more than is sent at once
    ).execute()
    browser = login_as("manager")
    rows = csv_rows(browser.get(f"/retention/removals.csv?from={today}&to={today}"))
    assert len(rows) == 1200
    assert rows[0] == {
        "at": now.astimezone(site.tz).isoformat(timespec="seconds"),
        "kind": "recording",
        "subject": "1.wav",
        "rule": "recordings_months=2",
        "call": "1.1",
        "sha256": "abc",
        "bytes": "7",
    }
    assert (
        len(csv_rows(browser.get(f"/retention/removals.csv?from={yesterday}&to={today}"))) == 1202
    )
    assert AuditEntry.get(AuditEntry.action == "retention.export").who == "sherzod"
    for wrong in ("from=kecha", f"from={today}&to={yesterday}"):
        assert browser.get(f"/retention/removals.csv?{wrong}").status_code == 400


def test_no_cell_of_the_table_is_a_formula(app, login_as) -> None:
    Removal.create(
        kind="stray", subject='=HYPERLINK("x")', at=clock.now(), rule="@x", detail={"call": "+SUM"}
    )
    [row] = csv_rows(login_as("manager").get("/retention/removals.csv"))
    assert (row["subject"], row["rule"], row["call"]) == ('\'=HYPERLINK("x")', "'@x", "'+SUM")
    assert row["bytes"] == ""
