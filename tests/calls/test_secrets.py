"""A running site with a call: no key or password is in its logs or in the process list."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core import sqlite
from appliance.core.settings import load_settings
from provisioning.local import plans
from provisioning.local.plans import Times
from tests.calls.hotline import Hotline

pytestmark = pytest.mark.calls


def site_secrets(hotline: Hotline) -> set[str]:
    """Return the secrets of the settings and of each user and phone."""
    settings = load_settings(hotline.place.config_file)
    values = {settings.web.secret_key, settings.asterisk.ami_secret}
    with contextlib.closing(sqlite.connect(settings.paths.database)) as database:
        rows = database.execute("SELECT sip_password, password_hash FROM user")
        values |= {secret for row in rows for secret in row if secret}
    values |= {operator["password"] for operator in hotline.description["operators"]}
    return {secret for secret in values if len(secret) > 7}  # shorter ones are parts of words


def command_lines(folder: Path) -> Iterator[str]:
    """Yield the command line of every process that names the folder."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="ignore")
        except OSError:  # the process has ended
            continue
        if str(folder) in line:
            yield line


def test_no_log_and_no_process_list_contains_a_secret(hotline: Hotline) -> None:
    calls = hotline.place_calls([plans.rated(plans.caller_number(1), Times())])
    hotline.settled_rows(calls.wait_for_end(120))
    folder, secret_values = hotline.place.folder, site_secrets(hotline)
    assert len(secret_values) > 5
    lines = list(command_lines(folder))
    assert any("appliance" in words for words in lines)
    assert [words for words in lines if any(secret in words for secret in secret_values)] == []
    logs = [file for file in folder.rglob("*") if file.is_file() and "log" in file.parts[-2]]
    assert any("site.log" in file.name for file in logs)
    for file in logs:
        text = file.read_bytes().decode(errors="ignore")
        assert [secret for secret in secret_values if secret in text] == [], file
