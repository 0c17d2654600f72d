"""What few need is loaded by who needs it, so that the processes stay small."""

import subprocess
import sys

import pytest

SPEAKS = {"requests", "urllib3", "chardet", "charset_normalizer"}  # HTTP to others
SIGNS_IN = {"ldap3", "webauthn", "authlib", "joserfc"}
PAPERS = {"weasyprint", "openpyxl", "docx", "zxcvbn", "nh3", "mutagen", "cryptography"}
PAGES = {"flask", "werkzeug", "markdown_it"}


@pytest.mark.parametrize(
    ("module", "seldom"),
    [
        ("appliance.cli.keeper", {"flask", "peewee", "sqlite3", "pysqlite3", "appliance.web"}),
        ("appliance.cli.telephony", SPEAKS | SIGNS_IN | PAPERS | PAGES | {"jinja2", "asyncio"}),
        ("appliance.jobs.timetable", SPEAKS | SIGNS_IN | PAPERS | PAGES | {"asyncio"}),
        ("appliance.web.shell.server", SPEAKS | SIGNS_IN | PAPERS),
    ],
)
def test_a_process_that_begins_has_loaded_nothing_that_few_need(module, seldom) -> None:
    code = f"import sys, {module}; print(*sorted({seldom} & sys.modules.keys()))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []
