"""What the package index tells of known vulnerabilities, and what becomes of it."""

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
    assert vulnerabilities.main() == 0
    assert "not looked up" in capsys.readouterr().out
