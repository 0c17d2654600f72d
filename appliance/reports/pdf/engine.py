"""WeasyPrint at work: A4, the site's own fonts, readable by people and by screen readers.

`python -m appliance.reports.pdf.engine` prints the page that it reads; see appliance.reports.pdf.
"""

import gc
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from appliance import PACKAGE

TEMPLATES = PACKAGE / "reports" / "templates"


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

    Raises FatalURLFetchingError when the fonts have not been built.
    """
    fonts = FontConfiguration()
    fetcher = _PackageFiles()
    style = CSS(TEMPLATES / "print.css", font_config=fonts, url_fetcher=fetcher)
    html = HTML(string=page, base_url=f"{TEMPLATES.as_uri()}/", url_fetcher=fetcher)
    return html.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1")


def main() -> None:
    """Print the page of the standard input. Exit status 1, and why, when it cannot be done."""
    gc.disable()  # it ends when the paper is made: a tenth of the time
    try:
        printed = write(sys.stdin.buffer.read().decode())
    except FatalURLFetchingError as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(printed)
    sys.stdout.flush()
    os._exit(0)  # Pango's thread still reads fonts: it must not find its library unloaded


if __name__ == "__main__":
    main()
