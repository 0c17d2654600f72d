"""PDF files are made in a separate process."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from appliance.reports import pdf


def test_printing_makes_a_pdf_and_does_not_load_the_printer_here() -> None:
    program = "from appliance.reports import pdf; import sys"
    program += "; content = pdf.write_pdf('<p lang=ru>Отчёт</p>')"
    program += "; print(content[:5], 'weasyprint' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout == "b'%PDF-' False\n", answer.stderr


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_no_fonts_are_left_behind(temporary: Path, monkeypatch) -> None:
    assert pdf.write_pdf("<p lang=ru>1</p>")
    assert not [*temporary.iterdir()]
    # the process is ended when it starts, or later
    monkeypatch.setattr(pdf, "TIMEOUT_SECONDS", 0.5)
    with contextlib.suppress(pdf.PdfError):
        pdf.write_pdf("<p lang=ru>1</p>" * 5000)
    assert not [*temporary.iterdir()]


def test_a_failure_to_print_is_reported() -> None:
    with pytest.raises(pdf.PdfError, match="may not read https://example.org/x.png"):
        pdf.write_pdf("<img src='https://example.org/x.png'>")


def test_a_document_that_takes_too_long_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr(pdf, "TIMEOUT_SECONDS", 0.001)
    with pytest.raises(pdf.PdfError, match="not printed within"):
        pdf.write_pdf("<p>")


def test_the_printer_ends_without_exit_handlers(tmp_path: Path) -> None:
    marker = tmp_path / "left"
    hook = f"import atexit, pathlib; atexit.register(pathlib.Path({str(marker)!r}).touch)"
    (tmp_path / "sitecustomize.py").write_text(hook)
    printer = [sys.executable, "-m", "appliance.reports.pdf.engine"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(printer, input=b"<p lang=ru>1</p>", capture_output=True, env=environment)
    assert (done.returncode, done.stdout[:5]) == (0, b"%PDF-"), done.stderr
    assert not marker.exists()
