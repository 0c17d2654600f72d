"""Commands that output a citizen's data leave an audit row; new commands must be listed here."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from appliance.casework.appeals import desk
from appliance.cli import appliance
from appliance.core import audit, clock, db, outbox
from appliance.core.audit import labels
from appliance.core.audit.table import AuditEntry
from appliance.core.settings import Settings
from appliance.models import User
from appliance.telephony import calls
from appliance.telephony.calls.quarantine import Damage
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.citizen import CITIZEN_NUMBER, Citizen

NAME, STREET, GIST = "Kanareykina", "Kanareyka koʻchasi 7", "Kanareyka haqida"
PERSONAL_MARKS = (NAME, STREET, GIST, CITIZEN_NUMBER.removeprefix("+998"))
DAYS = ("--from", "2020-01-01", "--to", "2099-12-31")
# The arguments to run each command with; {month} and the like are filled in with today's.
RUN_COMMANDS: dict[str, list[tuple[str, ...]]] = {
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
COMMANDS_WITH_PERSONAL_OUTPUT = {
    "audit export",
    "ledger export",
    "ledger quarantine",
    "outbox list",
}
# must appear in the output, or the test would check nothing
COMMANDS_WITH_PERSONAL_OUTPUT |= {"registration export"}
CHECKING_COMMANDS = {"doctor", "ledger balance"}  # these exit with 1 when something is wrong
COMMANDS_NOT_RUN = {
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


def leaf_commands(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        subcommand = command.get_command(context, name)
        assert subcommand
        yield from leaf_commands(subcommand, *path, name)


COMMANDS = dict(leaf_commands(appliance))
AUDIT_ACTION_OF_COMMAND = {
    name: command.callback.__dict__["reads"]
    for name, command in COMMANDS.items()
    if "reads" in command.callback.__dict__
}


@pytest.fixture
def site(settings: Settings, nilufar: User, login_as) -> Settings:
    """A site with one citizen's data in every place from which a command could read it."""
    citizen = Citizen("hotline-1.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    citizen.hang_up()
    create_appeal(
        settings,
        nilufar,
        FULL_FORM | {"surname": NAME, "address": STREET, "gist": GIST, "phone": CITIZEN_NUMBER},
        token=desk.current_desk(nilufar, clock.now()).token,
    )
    outbox.queue_sms("registered", CITIZEN_NUMBER, GIST, key="1", cause="1", tz=settings.tz)
    with db.write_transaction():
        calls.quarantine_pieces(
            "events.csv", [Damage("cut", 0, f"ANSWER,{CITIZEN_NUMBER}".encode())]
        )
    audit.record_entry("dilnoza", "appeal.list", "", asked={"q": NAME})
    login_as("supervisor")
    return settings


def test_every_command_is_run_here_or_listed_with_a_reason() -> None:
    listed_commands = [
        *RUN_COMMANDS,
        *(name for names in COMMANDS_NOT_RUN.values() for name in names),
    ]
    assert sorted(listed_commands) == sorted(COMMANDS)


def test_every_reading_action_has_a_label_in_the_audit() -> None:
    assert [
        action for action in AUDIT_ACTION_OF_COMMAND.values() if not labels.has_labels(action)
    ] == []


def test_a_command_that_outputs_personal_data_leaves_an_audit_row(
    site: Settings, tmp_path: Path
) -> None:
    today = clock.now().astimezone(site.tz).date()
    dates = {"{day}": f"{today}", "{month}": f"{today:%Y-%m}"}
    dates["{quarter}"] = f"{today.year}-Q{(today.month + 2) // 3}"
    commands_with_marks = set()
    for name, templates in RUN_COMMANDS.items():
        for template in templates:
            before = AuditEntry.select().count()
            arguments = [dates.get(word, word) for word in template]
            done = CliRunner().invoke(
                appliance, ["--config", str(site.file), *name.split(), *arguments]
            )
            db.open_database(site.paths.database)
            assert done.exit_code == 0 or name in CHECKING_COMMANDS, (name, template, done.output)
            marks = [mark for mark in PERSONAL_MARKS if mark in done.output]
            rows = list(AuditEntry.select().order_by(AuditEntry.id).offset(before))
            reading_rows = [row for row in rows if row.action == AUDIT_ACTION_OF_COMMAND.get(name)]
            assert len(reading_rows) == (name in AUDIT_ACTION_OF_COMMAND), (name, rows)
            if marks:
                commands_with_marks.add(name)
                assert reading_rows, f"{name} {template} tells {marks}, and no row says so"
            for row in reading_rows:
                assert row.who == "cli"
                assert row.detail["account"]
                assert row.detail["asked"] or not arguments
    assert commands_with_marks >= COMMANDS_WITH_PERSONAL_OUTPUT
    assert commands_with_marks <= set(AUDIT_ACTION_OF_COMMAND)
