"""PDF rendering by WeasyPrint: A4, the site's own fonts, accessible to screen readers.

`python -m appliance.reports.pdf.engine` makes a PDF of the HTML from its standard input; see
appliance.reports.pdf.
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

TEMPLATES_DIRECTORY = PACKAGE / "reports" / "templates"


class _PackageFiles(URLFetcher):  # type: ignore[misc]  # weasyprint has no types
    """Reads only this package's own files; a missing file or any other stops the rendering."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        """Return the content of a file of this package.

        Raises FatalURLFetchingError, which stops WeasyPrint, for any other URL or a missing file.
        """
        parts = urlsplit(url)
        path = Path(url2pathname(parts.path)).resolve()
        if parts.scheme != "file" or not path.is_relative_to(PACKAGE):
            raise FatalURLFetchingError(f"a report may not read {url}")
        if not path.is_file():
            raise FatalURLFetchingError(f"{path} is missing: build the front end first")
        return super().fetch(url, headers)


def render_pdf(source: str) -> bytes:
    """Return an HTML page, such as a report by paper.render_page(), as a tagged PDF.

    The file does not claim PDF/UA-1: WeasyPrint tags heads of tables without a scope and footers of
    pages as content. Raises FatalURLFetchingError if the fonts have not been built.
    """
    fonts = FontConfiguration()
    fetcher = _PackageFiles()
    style = CSS(TEMPLATES_DIRECTORY / "print.css", font_config=fonts, url_fetcher=fetcher)
    html = HTML(string=source, base_url=f"{TEMPLATES_DIRECTORY.as_uri()}/", url_fetcher=fetcher)
    pdf: bytes = html.write_pdf(stylesheets=[style], font_config=fonts, pdf_tags=True)
    return pdf


def main() -> None:
    """Write the PDF of the HTML from standard input to standard output.

    Exits with status 1 and the reason if a file is missing or may not be read.
    """
    gc.disable()  # the process ends when the PDF is made; this saves a tenth of the time
    try:
        pdf = render_pdf(sys.stdin.buffer.read().decode())
    except FatalURLFetchingError as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(pdf)
    sys.stdout.flush()
    os._exit(0)  # Pango's thread is still reading fonts: its library must not be unloaded


if __name__ == "__main__":
    main()
