"""Papers are made by a process of their own."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from appliance.reports import pdf


def test_it_is_a_pdf_and_nothing_that_prints_is_left_behind() -> None:
    told = "from appliance.reports import pdf; import sys; made = pdf.write('<p lang=ru>Отчёт</p>')"
    told += "; print(made[:5], 'weasyprint' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True)
    assert answer.stdout == "b'%PDF-' False\n", answer.stderr


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch) -> Path:
    """The folder for what is only needed for a while."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_no_fonts_are_left_behind(temporary: Path, monkeypatch) -> None:
    assert pdf.write("<p lang=ru>1</p>")
    assert not [*temporary.iterdir()]
    monkeypatch.setattr(pdf, "PATIENCE", 0.5)  # it is ended as it begins, or later
    with contextlib.suppress(pdf.PdfError):
        pdf.write("<p lang=ru>1</p>" * 5000)
    assert not [*temporary.iterdir()]


def test_what_cannot_be_printed_is_told() -> None:
    with pytest.raises(pdf.PdfError, match="may not read https://example.org/x.png"):
        pdf.write("<img src='https://example.org/x.png'>")


def test_a_paper_that_takes_too_long_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr(pdf, "PATIENCE", 0.001)
    with pytest.raises(pdf.PdfError, match="not printed within"):
        pdf.write("<p>")


def test_it_ends_before_anything_is_unloaded(tmp_path: Path) -> None:
    left = tmp_path / "left"
    hook = f"import atexit, pathlib; atexit.register(pathlib.Path({str(left)!r}).touch)"
    (tmp_path / "sitecustomize.py").write_text(hook)
    printer = [sys.executable, "-m", "appliance.reports.pdf.engine"]
    known = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(printer, input=b"<p lang=ru>1</p>", capture_output=True, env=known)
    assert (done.returncode, done.stdout[:5]) == (0, b"%PDF-"), done.stderr
    assert not left.exists()
