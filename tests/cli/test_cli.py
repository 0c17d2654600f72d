"""The `appliance` command: exit statuses, and the output that other programs read."""

import csv
import datetime as dt
import io
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from appliance.casework import call_forms, catalogs
from appliance.casework.changes import requests
from appliance.cli import COMMANDS, appliance
from appliance.core import db
from appliance.core.settings import Settings
from appliance.models import User
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts, RingFacts, TalkFacts, VisitFacts
from tests.cli.conftest import Run
from tests.rig.rules import RULES

BEGIN = dt.datetime(2026, 11, 24, 23, 30, tzinfo=dt.UTC)  # 25.11.2026, 04:30 at the site


@pytest.fixture
def a_call(settings: Settings) -> CallFacts:
    """One answered call in the ledger."""
    joined, answered, ended_at = (BEGIN + dt.timedelta(seconds=s) for s in (5, 8, 68))
    facts = CallFacts(
        id="hotline-1.0",
        direction="inbound",
        arrived_at=BEGIN,
        ended_at=ended_at,
        hotline_number="1006",
        caller="+998935550147",
        trunk="carrier",
        language="uz",
        menu=["1"],
        stage="ended",
        outcome="answered",
        ended_by="caller",
        visits=[VisitFacts("uz", joined, answered, "answered")],
        talks=[TalkFacts("operator", "nilufar", "1001", answered, ended_at)],
    )
    facts.visits[0].rings.append(RingFacts("nilufar", "1001", joined, answered, "answered"))
    with db.write_transaction():
        calls.store_call(facts, RULES)
    return facts


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        pytest.param(["user", "list"], 0, id="done"),
        pytest.param(["operator", "pause", "nobody"], 1, id="no-such-operator"),
        pytest.param(["operator", "ready", "nilufar"], 1, id="no-asterisk"),
        pytest.param(["trunk", "password", "nobody", "--password-stdin"], 1, id="no-such-trunk"),
        pytest.param(["trunk", "password", "carrier", "--password-stdin"], 1, id="no-account"),
        pytest.param(["no-such-command"], 2, id="no-such-command"),
        pytest.param(["ledger", "export", "--from", "2026-11-24"], 2, id="option-missing"),
        pytest.param(
            ["ledger", "export", "--from", "24.11.2026", "--to", "2026-11-25"], 2, id="no-date"
        ),
        pytest.param(["ledger", "ingest", "no-such-file"], 2, id="no-such-file"),
    ],
)
def test_exit_status_reports_success_failure_or_wrong_usage(
    run: Run, arguments: list[str], status: int
) -> None:
    done = run(*arguments)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert bool(done.stderr) == bool(status)


def test_a_bad_settings_file_is_reported_in_one_line(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("nonsense = 1\n")
    done = run("user", "list", config=bad)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "bad.toml" in done.stderr


def test_a_state_is_saved_although_asterisk_does_not_answer(run: Run) -> None:
    run("operator", "ready", "nilufar")
    listed = json.loads(run("operator", "list", "--json").stdout)
    assert {row["login"]: row["state"] for row in listed}["nilufar"] == "ready"


@pytest.mark.usefixtures("a_call")
def test_the_export_has_the_keys_of_the_contract(run: Run) -> None:
    [line] = run("ledger", "export", "--from", "2026-11-25", "--to", "2026-11-25").stdout.split(
        "\n", 1
    )[:1]
    row = json.loads(line)
    assert list(row) == [
        *("id", "direction", "arrived_at", "ended_at", "hotline_number", "diverted_from"),
        *("caller", "callee", "trunk", "technology", "language", "menu", "outcome", "short"),
        *("synthetic", "menu_seconds", "wait_seconds", "talk_seconds", "hold_seconds"),
        *("ended_by", "queue_visits", "talks", "transfers", "rating", "rating_channel"),
        *("recordings", "registration", "registrations", "topic", "sip", "by", "reason"),
        *("serves", "attempts"),
        *("asides", "gaps"),
    ]
    assert (row["menu_seconds"], row["wait_seconds"], row["talk_seconds"]) == (5, 3, 60)
    assert dt.datetime.fromisoformat(row["arrived_at"]) == BEGIN
    assert row["queue_visits"][0]["rings"][0]["operator"] == "nilufar"
    assert row["talks"][0]["with"] == "operator"
    assert row["registration"] is None


@pytest.mark.usefixtures("a_call")
@pytest.mark.parametrize(
    ("begin", "end", "call_count"),
    [
        ("2026-11-25", "2026-11-25", 1),
        ("2026-11-24", "2026-11-24", 0),
        ("2026-11-25T04:30:00", "2026-11-25T04:30:01", 1),
        ("2026-11-24T23:30:00+00:00", "2026-11-24T23:30:00.5+00:00", 1),
        ("2026-11-25T04:30:01", "2026-11-26", 0),
    ],
)
def test_a_period_is_in_the_sites_time_zone_unless_it_names_another(
    run: Run, begin: str, end: str, call_count: int
) -> None:
    output = run("ledger", "export", "--from", begin, "--to", end, "--format", "csv").stdout
    assert len(list(csv.DictReader(io.StringIO(output)))) == call_count


@pytest.mark.usefixtures("a_call")
def test_the_command_fails_when_the_ledger_does_not_balance(run: Run) -> None:
    done = run("ledger", "balance", "--from", "2026-11-25", "--to", "2026-11-25", "--json")
    assert done.returncode == 1  # a call in the ledger that is missing from the log
    assert json.loads(done.stdout)["difference"] == -1


@pytest.mark.usefixtures("a_call")
def test_registrations_are_exported_as_objects_and_as_a_table(
    run: Run, settings: Settings, nilufar: User
) -> None:
    form = call_forms.register(
        {"surname": "=Karimova", "region": "1718"},
        operator=nilufar,
        token=f"hotline-1.0-{nilufar.id}-0",
        tz=settings.tz,
    )
    arguments = (
        "registration",
        "export",
        "--form",
        "2",
        "--from",
        "2020-01-01",
        "--to",
        "2099-12-31",
    )
    row = json.loads(run(*arguments).stdout)
    assert (row["number"], row["call"], row["form"]) == (form.number, "hotline-1.0", "2")
    assert row["fields"]["region"] == {"code": "1718", "text": "Samarqand viloyati"}
    (table,) = csv.DictReader(io.StringIO(run(*arguments, "--format", "csv").stdout))
    assert (table["number"], table["region"]) == (form.number, "Samarqand viloyati")
    assert not table["surname"].startswith("=")
    assert (row["articles"], row["scripts"]) == ([], [])
    assert (table["articles"], table["scripts"]) == ("", "")
    output = run("ledger", "export", "--from", "2026-11-25", "--to", "2026-11-25").stdout
    assert json.loads(output)["registration"] == form.number
    assert json.loads(output)["registrations"] == [{"form": "2", "number": form.number}]


def test_change_requests_are_listed(run: Run, settings: Settings, bahodir: User) -> None:
    calendar = catalogs.working_calendar(settings)
    request = requests.create_change_request(
        bahodir, "routing", "Raqam\noʻzgardi", "Eskisi yoʻq", calendar
    )
    [row] = json.loads(run("changes", "list", "--json").stdout)
    assert (row["number"], row["kind"], row["what"]) == (request.id, "routing", request.what)
    assert (row["state"], row["done"], row["responsible"]) == ("asked", None, None)
    assert dt.datetime.fromisoformat(row["due"]) == request.due_at
    assert run("changes", "list").stdout.strip().endswith("-  -  Raqam")


def test_the_list_of_commands_shows_the_help_of_each_command() -> None:
    context = click.Context(appliance)
    commands = {name: appliance.get_command(context, name) for name in COMMANDS}
    assert list(COMMANDS) == sorted(COMMANDS)
    assert {name: help_text for name, (_, help_text) in COMMANDS.items()} == {
        name: command.get_short_help_str(200) for name, command in commands.items() if command
    }


def test_listing_the_commands_does_not_import_them() -> None:
    code = (
        "import sys, appliance.cli as cli\n"
        "try:\n    cli.appliance(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name.startswith('appliance.models')])\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "Serve the pages." in process.stdout
    assert process.stdout.splitlines()[-1] == "[]"
