"""WeasyPrint at work: A4, the site's own fonts, readable by people and by screen readers."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from appliance import PACKAGE
from appliance.reports import words
from appliance.reports.pdf import PdfError

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


def write(page: str) -> bytes:
    """The HTML page of a report (paper.page) as a tagged PDF (PDF/UA-1).

    Raises PdfError when the fonts have not been built.
    """
    fonts = FontConfiguration()
    fetcher = _PackageFiles()
    try:
        style = CSS(TEMPLATES / "print.css", font_config=fonts, url_fetcher=fetcher)
        html = HTML(string=page, base_url=f"{TEMPLATES.as_uri()}/", url_fetcher=fetcher)
        return html.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1")
    except FatalURLFetchingError as error:
        raise PdfError(str(error)) from error
