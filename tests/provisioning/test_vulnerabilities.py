"""What the package index tells of known vulnerabilities, and what becomes of it."""

import json
import sys
from pathlib import Path

import pytest

from provisioning.box import vulnerabilities

TOLD = [
    {"name": "one", "version": "1.0", "vulns": []},
    {
        "name": "two",
        "version": "2.0",
        "vulns": [{"id": "PYSEC-2", "fix_versions": ["2.1"], "aliases": ["CVE-2"]}],
    },
    {"name": "three", "skip_reason": "not found"},
]


def test_a_known_vulnerability_is_named_with_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vulnerabilities, "asked", lambda lock: TOLD)
    monkeypatch.setattr(vulnerabilities, "front_end", lambda folder: [])
    assert vulnerabilities.main() == 1
    assert capsys.readouterr().out == "two 2.0: PYSEC-2, mended in 2.1\n"


@pytest.mark.parametrize("id", ["PYSEC-2", "CVE-2"])
def test_what_was_accepted_for_a_reason_is_not(monkeypatch: pytest.MonkeyPatch, id: str) -> None:
    monkeypatch.setitem(vulnerabilities.ACCEPTED, id, "not reached from here")
    assert vulnerabilities.harmful(TOLD) == []


def test_an_index_that_tells_nothing_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vulnerabilities, "asked", lambda lock: None)
    monkeypatch.setattr(vulnerabilities, "front_end", lambda folder: None)
    assert vulnerabilities.main() == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.partition("the ")[2] for line in told] == [
        "package index tells nothing; not looked up",
        "npm registry tells nothing; not looked up",
    ]


def test_what_npm_tells_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    npm = tmp_path / "npm"
    told = {"htmx.org": {"range": "<9", "via": [{"url": "https://x/advisories/GHSA-1"}, "other"]}}
    npm.write_text(f"#!/bin/sh\necho '{json.dumps({'vulnerabilities': told})}'\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    found = vulnerabilities.front_end(tmp_path)
    assert found is not None
    assert vulnerabilities.harmful(found) == ["htmx.org <9: GHSA-1, mended in no version yet"]
    npm.write_text("#!/bin/sh\necho '{\"error\": {}}'\nexit 1\n")
    assert vulnerabilities.front_end(tmp_path) is None
