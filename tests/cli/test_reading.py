"""Whatever a command tells of a citizen leaves a row of the audit; a new command is found here."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from appliance.casework import appeals, catalogs
from appliance.cli import appliance
from appliance.core import audit, clock, db, outbox
from appliance.core.audit import words
from appliance.core.audit.table import AuditEntry
from appliance.core.settings import Settings
from appliance.models import User
from appliance.telephony import calls
from appliance.telephony.calls.quarantine import Damage
from tests.casework.test_appeals import FULL
from tests.rig.citizen import PHONE, Citizen

NAME, STREET, GIST = "Kanareykina", "Kanareyka koʻchasi 7", "Kanareyka haqida"
MARKS = (NAME, STREET, GIST, PHONE.removeprefix("+998"))
DAYS = ("--from", "2020-01-01", "--to", "2099-12-31")
# What is tried; {month} and such are of today. `{out}` is a file that may be written.
TRIED: dict[str, list[tuple[str, ...]]] = {
    "audit export": [DAYS],
    "audit verify": [(), ("--json",)],
    "calendar list": [(), ("--json",)],
    "catalog export": [("mahallas",)],
    "changes list": [("--all",), ("--json",)],
    "doctor": [(), ("--json",)],
    "form export": [("1",)],
    "form list": [()],
    "form show": [("1",), ("2", "--json")],
    "ledger balance": [DAYS, (*DAYS, "--json")],
    "ledger export": [DAYS, (*DAYS, "--format", "csv")],
    "ledger follow-ups": [()],
    "ledger quarantine": [(), ("--json",)],
    "operator list": [(), ("--json",)],
    "outbox list": [(), ("--json",)],
    "phone list": [(), ("--json",)],
    "registration export": [
        ("--form", form, *DAYS, "--format", kind) for form in "12" for kind in ("jsonl", "csv")
    ],
    "report accesses": [("{month}", "--format", kind) for kind in ("csv", "json")],
    "report daily": [("{day}", "--format", kind) for kind in ("csv", "json")],
    "report minutes": [("{month}", "--format", kind) for kind in ("csv", "json")],
    "report monthly": [("{month}", "--format", kind) for kind in ("csv", "json")],
    "report quarterly": [("{quarter}", "--format", kind) for kind in ("csv", "json")],
    "report telephony": [
        ("--from", "{day}", "--to", "{day}", "--format", kind) for kind in ("csv", "json")
    ],
    "search rebuild": [()],
    "user identity": [("nilufar",)],
    "user list": [(), ("--json",)],
    "user second-factor": [("nilufar",)],
    "user sessions": [(), ("nilufar", "--json")],
}
SHOWING = {"audit export", "ledger export", "ledger quarantine", "outbox list"}
SHOWING |= {"registration export"}  # must be found, or nothing is looked at
JUDGING = {"doctor", "ledger balance"}  # exit with 1 when something is wrong
UNTRIED = {
    "what runs until it is stopped, or moves the whole site": (
        *("jobs", "pbx", "replicate", "web", "migrate", "render", "prompts synthesise"),
        *("selftest call", "selftest carrier", "selftest offline", "demo load"),
        *("backup create", "backup drill", "backup list", "backup prepare", "backup remove-key"),
        *("backup rotate-keys", "backup verify", "audit new-key"),
    ),
    "what is read out of a snapshot: tests/box/snapshots/test_reading_records.py": (
        *("backup read", "backup restore", "backup sheet"),
    ),
    "what changes something, and says no more than that": (
        *("calendar import", "catalog import", "form import", "knowledge import", "script import"),
        *("release record", "setup"),
        *("ledger ingest", "ministry catch-up", "ministry import", "outbox retry", "user import"),
        *(f"operator {state}" for state in ("back-office", "off", "pause", "ready")),
        *("phone address", "phone remove", "phone set", "backup restore-appeal"),
        *("retention mask-again", "retention scrub"),
        *("user add", "user disable", "user enable", "user listen", "user passwd"),
        "trunk password",
        *("user phone-password", "user set", "user sign-out"),
    ),
    "what holds no citizen: a script's text, a signature's comparison": (
        *("script export", "evidence verify"),
    ),
    "declared to read, tried where their keys are: tests/cli/test_evidence.py, tests/casework": (
        *("evidence make", "ministry export"),
    ),
}


def leaves(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below
        yield from leaves(below, *path, name)


COMMANDS = dict(leaves(appliance))
READING = {
    name: command.callback.__dict__["reads"]
    for name, command in COMMANDS.items()
    if "reads" in command.callback.__dict__
}


@pytest.fixture
def site(settings: Settings, nilufar: User, login_as) -> Settings:
    """What is known of one citizen, wherever a command could come by it."""
    citizen = Citizen("hotline-1.1")
    citizen.ring(nilufar)
    citizen.talk()
    citizen.hang_up()
    appeals.register(
        FULL | {"surname": NAME, "address": STREET, "gist": GIST, "phone": PHONE},
        operator=nilufar,
        token=appeals.at_hand(nilufar, clock.now()).token,
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
    outbox.put_sms("registered", PHONE, GIST, key="1", cause="1", tz=settings.tz)
    with db.writing():
        calls.set_aside("events.csv", [Damage("cut", 0, f"ANSWER,{PHONE}".encode())])
    audit.record("dilnoza", "appeal.list", "", asked={"q": NAME})
    login_as("supervisor")
    return settings


def test_every_command_is_tried_or_said_why_not() -> None:
    named = [*TRIED, *(name for names in UNTRIED.values() for name in names)]
    assert sorted(named) == sorted(COMMANDS)


def test_what_commands_read_has_words_in_the_audit() -> None:
    assert [action for action in READING.values() if not words.is_known(action)] == []


def test_a_command_that_tells_of_a_citizen_leaves_a_row(site: Settings, tmp_path: Path) -> None:
    today = clock.now().astimezone(site.tz).date()
    dates = {"{day}": f"{today}", "{month}": f"{today:%Y-%m}"}
    dates["{quarter}"] = f"{today.year}-Q{(today.month + 2) // 3}"
    showing = set()
    for name, ways in TRIED.items():
        for way in ways:
            before = AuditEntry.select().count()
            given = [dates.get(word, word) for word in way]
            done = CliRunner().invoke(
                appliance, ["--config", str(site.file), *name.split(), *given]
            )
            db.open_database(site.paths.database)
            assert done.exit_code == 0 or name in JUDGING, (name, way, done.output)
            marks = [mark for mark in MARKS if mark in done.output]
            rows = list(AuditEntry.select().order_by(AuditEntry.id).offset(before))
            told = [row for row in rows if row.action == READING.get(name)]
            assert len(told) == (name in READING), (name, rows)
            if marks:
                showing.add(name)
                assert told, f"{name} {way} tells {marks}, and no row says so"
            for row in told:
                assert row.who == "cli"
                assert row.detail["account"]
                assert row.detail["asked"] or not given
    assert showing >= SHOWING
    assert showing <= set(READING)
