"""`appliance report`, as people type it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.core.settings import Settings

APPLIANCE_PROGRAM = Path(sys.executable).with_name("appliance")


def run_report(
    site: Settings, *arguments: object, name: str = "monthly"
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [APPLIANCE_PROGRAM, "--config", site.file, "report", name, *map(str, arguments)],
        capture_output=True,
        check=False,
    )


def test_json_is_written_to_standard_output(december: Settings) -> None:
    done = run_report(december, "2026-12", "--upto", "2026-12-12", "--format", "json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["period"] == {"from": "2026-12-01", "to": "2026-12-12"}
    assert figures["calls_total"]["outside"] == 7


def test_a_pdf_is_written_to_a_file(december: Settings, tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    done = run_report(december, "2026-12", "--lang", "ru", "--out", out)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes().startswith(b"%PDF-1.7")


def test_the_csv_file_opens_in_office_programs(december: Settings) -> None:
    done = run_report(december, "2026-12", "--format", "csv", "--lang", "uz_Latn")
    assert done.stdout.startswith(b"\xef\xbb\xbftable,code,name,")
    assert "Qashqadaryo viloyati" in done.stdout.decode()


@pytest.mark.parametrize(
    ("name", "period", "kind", "begins"),
    [
        ("quarterly", "2026-Q4", "json", b"{"),
        ("quarterly", "2026-Q4", "xlsx", b"PK"),
        ("daily", "2026-12-07", "csv", b"\xef\xbb\xbftable,code"),
        ("monthly", "2026-12", "xlsx", b"PK"),
        ("accesses", "2026-12", "csv", b"\xef\xbb\xbfwho,what"),
    ],
)
def test_every_report_can_be_written_in_other_kinds(
    december: Settings, name: str, period: str, kind: str, begins: bytes
) -> None:
    done = run_report(december, period, "--format", kind, name=name)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(begins)


def test_an_invalid_quarter_exits_with_2(site: Settings) -> None:
    done = run_report(site, "2026-Q5", name="quarterly")
    assert done.returncode == 2
    assert b"not a quarter" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("2026-13",),
        ("December",),
        ("2026-12", "--upto", "12.12.2026"),
        ("2026-12", "--upto", "2027-01-01"),
        ("2026-12", "--format", "docx"),
        ("2026-12", "--lang", "en_US"),
    ],
)
def test_wrong_usage_is_reported_and_exits_with_2(
    site: Settings, arguments: tuple[str, ...]
) -> None:
    done = run_report(site, *arguments)
    assert done.returncode == 2
    assert b"Error" in done.stderr
    assert done.stdout == b""


def test_a_report_that_fails_leaves_the_old_file(december: Settings, tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    out.write_bytes(b"the old one")
    assert run_report(december, "2026-13", "--out", out).returncode == 2
    assert out.read_bytes() == b"the old one"
