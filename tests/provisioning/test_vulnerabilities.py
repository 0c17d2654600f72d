"""The package index's report of known vulnerabilities, and its consequences."""

import json
import sys
from pathlib import Path

import pytest

from provisioning.box import vulnerabilities

INDEX_REPORT = [
    {"name": "one", "version": "1.0", "vulns": []},
    {
        "name": "two",
        "version": "2.0",
        "vulns": [{"id": "PYSEC-2", "fix_versions": ["2.1"], "aliases": ["CVE-2"]}],
    },
    {"name": "three", "skip_reason": "not found"},
]


def test_a_known_vulnerability_is_named_with_the_fixing_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vulnerabilities, "audit_python", lambda lock: INDEX_REPORT)
    monkeypatch.setattr(vulnerabilities, "audit_front_end", lambda folder: [])
    assert vulnerabilities.main() == 1
    assert capsys.readouterr().out == "two 2.0: PYSEC-2, mended in 2.1\n"


@pytest.mark.parametrize("id", ["PYSEC-2", "CVE-2"])
def test_an_accepted_vulnerability_is_not_reported(
    monkeypatch: pytest.MonkeyPatch, id: str
) -> None:
    monkeypatch.setitem(vulnerabilities.ACCEPTED_REASONS, id, "not reached from here")
    assert vulnerabilities.unaccepted_vulnerabilities(INDEX_REPORT) == []


def test_an_index_without_an_answer_does_not_fail_the_build(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vulnerabilities, "audit_python", lambda lock: None)
    monkeypatch.setattr(vulnerabilities, "audit_front_end", lambda folder: None)
    assert vulnerabilities.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("the ")[2] for line in lines] == [
        "package index does not respond; not looked up",
        "npm registry does not respond; not looked up",
    ]


def test_the_report_of_npm_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    npm = tmp_path / "npm"
    report = {"htmx.org": {"range": "<9", "via": [{"url": "https://x/advisories/GHSA-1"}, "other"]}}
    npm.write_text(f"#!/bin/sh\necho '{json.dumps({'vulnerabilities': report})}'\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    packages = vulnerabilities.audit_front_end(tmp_path)
    assert packages is not None
    assert vulnerabilities.unaccepted_vulnerabilities(packages) == [
        "htmx.org <9: GHSA-1, mended in no version yet"
    ]
    npm.write_text("#!/bin/sh\necho '{\"error\": {}}'\nexit 1\n")
    assert vulnerabilities.audit_front_end(tmp_path) is None
