"""Rarely needed libraries are imported only where they are used, so that processes stay small."""

import subprocess
import sys

import pytest

# HTTP requests to other systems
HTTP_CLIENT_MODULES = {
    "requests",
    "urllib3",
    "chardet",
    "charset_normalizer",
}
SIGN_IN_MODULES = {"ldap3", "webauthn", "authlib", "joserfc"}
DOCUMENT_MODULES = {"weasyprint", "openpyxl", "docx", "zxcvbn", "nh3", "mutagen", "cryptography"}
WEB_PAGE_MODULES = {"flask", "werkzeug", "markdown_it"}


@pytest.mark.parametrize(
    ("module", "seldom"),
    [
        (
            "appliance.cli.gunicorn_app",
            {"flask", "peewee", "sqlite3", "pysqlite3", "appliance.web"},
        ),
        (
            "appliance.cli.telephony",
            HTTP_CLIENT_MODULES
            | SIGN_IN_MODULES
            | DOCUMENT_MODULES
            | WEB_PAGE_MODULES
            | {"jinja2", "asyncio"},
        ),
        (
            "appliance.jobs.timetable",
            HTTP_CLIENT_MODULES
            | SIGN_IN_MODULES
            | DOCUMENT_MODULES
            | WEB_PAGE_MODULES
            | {"asyncio"},
        ),
        ("appliance.web.shell.server", HTTP_CLIENT_MODULES | SIGN_IN_MODULES | DOCUMENT_MODULES),
    ],
)
def test_a_starting_process_has_not_imported_rarely_needed_modules(module, seldom) -> None:
    code = f"import sys, {module}; print(*sorted({seldom} & sys.modules.keys()))"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert process.stdout.split() == []
