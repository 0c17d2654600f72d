"""Papers are made by a process of their own."""

import subprocess
import sys

import pytest

from appliance.reports import pdf


def test_it_is_a_pdf_and_nothing_that_prints_is_left_behind() -> None:
    told = "from appliance.reports import pdf; import sys; made = pdf.write('<p lang=ru>Отчёт</p>')"
    told += "; print(made[:5], 'weasyprint' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True)
    assert answer.stdout == "b'%PDF-' False\n", answer.stderr


def test_what_cannot_be_printed_is_told() -> None:
    with pytest.raises(pdf.PdfError, match="may not read https://example.org/x.png"):
        pdf.write("<img src='https://example.org/x.png'>")


def test_a_paper_that_takes_too_long_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr(pdf, "PATIENCE", 0.001)
    with pytest.raises(pdf.PdfError, match="not printed within"):
        pdf.write("<p>")
