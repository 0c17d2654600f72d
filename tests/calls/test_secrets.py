"""A running site, with a call: no key or password in its logs or in the list of processes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core import sqlite
from appliance.core.settings import load
from provisioning.local import plans
from provisioning.local.plans import Times
from tests.calls.hotline import Hotline

pytestmark = pytest.mark.calls


def secrets(hotline: Hotline) -> set[str]:
    """What nobody may read there: of the settings, and each phone's and person's."""
    settings = load(hotline.place.config)
    found = {settings.web.secret_key, settings.asterisk.ami_secret}
    with contextlib.closing(sqlite.connect(settings.paths.database)) as database:
        rows = database.execute("SELECT sip_password, password_hash FROM user")
        found |= {secret for row in rows for secret in row if secret}
    found |= {one["password"] for one in hotline.facts["operators"]}
    return {secret for secret in found if len(secret) > 7}  # shorter ones are parts of words


def processes(folder: Path) -> Iterator[str]:
    """The words of every process that has to do with a folder."""
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = one.read_bytes().replace(b"\0", b" ").decode(errors="ignore")
        except OSError:  # it has ended
            continue
        if str(folder) in words:
            yield words


def test_no_log_and_no_process_list_tells_one(hotline: Hotline) -> None:
    calls = hotline.call([plans.rated(plans.number(1), Times())])
    hotline.settled(calls.wait(120))
    folder, hidden = hotline.place.folder, secrets(hotline)
    assert len(hidden) > 5
    seen = list(processes(folder))
    assert any("appliance" in words for words in seen)
    assert [words for words in seen if any(secret in words for secret in hidden)] == []
    logs = [file for file in folder.rglob("*") if file.is_file() and "log" in file.parts[-2]]
    assert any("site.log" in file.name for file in logs)
    for file in logs:
        text = file.read_bytes().decode(errors="ignore")
        assert [secret for secret in hidden if secret in text] == [], file
