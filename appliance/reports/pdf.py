"""Reports as PDF files: A4, the site's own fonts, readable by people and by screen readers."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import jinja2
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from appliance.reports import annex, balance, figures, kpi, words
from appliance.reports.monthly import MonthlyReport


class PdfError(RuntimeError):
    """A report cannot be printed; the message says what is missing."""


PACKAGE = Path(__file__).resolve().parent.parent
TEMPLATES = words.TEMPLATES


class _PackageFiles(URLFetcher):
    """Gives out this package's own files; anything else, or a missing one, stops the rendering."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        parts = urlsplit(url)
        path = Path(url2pathname(parts.path)).resolve()
        if parts.scheme != "file" or not path.is_relative_to(PACKAGE):
            raise FatalURLFetchingError(f"a report may not read {url}")
        if not path.is_file():
            raise FatalURLFetchingError(f"{path} is missing: build the front end first")
        return super().fetch(url, headers)


_pages = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_pages.filters |= {"number": figures.number, "decimal": figures.decimal, "date": figures.date}


def monthly(report: MonthlyReport, locale: str) -> bytes:
    """Report form №2 as a tagged PDF (PDF/UA-1), in the locale that it was built in.

    Raises ValueError for another locale, PdfError when the fonts have not been built.
    """
    if locale != report.locale:
        raise ValueError(f"the report was built in {report.locale}, not in {locale}")
    text = words.load(locale)
    last = report.period.last
    dates = {"year": last.year, "month": text.months[last.month - 1], "day": last.day}
    tz = report.period.tz
    page = _pages.get_template("monthly.html").render(
        report=report,
        words=text,
        title=text.monthly.title.format(**dates),
        heading=[part.format(**dates) for part in text.monthly.heading],
        balance=balance.line(report.balance, report.inbound, report.made_at, tz, text.balance),
        unobserved=balance.stretches(report.balance.unobserved, tz),
        hours=annex.hours(report, text.annex),
        waits=annex.waits(report, text.annex),
        no_calls=text.annex.no_calls if annex.observed(report) else text.unknown,
        rows=annex.rows(report, text),
        few=kpi.FEW,
        made_at=report.made_at.astimezone(tz).isoformat(timespec="seconds"),
    )
    return _print(page)


def _print(page: str) -> bytes:
    """The HTML page as PDF, by the print style sheet."""
    fonts = FontConfiguration()
    fetcher = _PackageFiles()
    try:
        style = CSS(TEMPLATES / "print.css", font_config=fonts, url_fetcher=fetcher)
        html = HTML(string=page, base_url=f"{TEMPLATES.as_uri()}/", url_fetcher=fetcher)
        return html.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1")
    except FatalURLFetchingError as error:
        raise PdfError(str(error)) from error
