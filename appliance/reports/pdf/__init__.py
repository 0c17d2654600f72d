"""Reports as PDF files."""


class PdfError(RuntimeError):
    """A report cannot be printed; the message says what is missing."""


def write(page: str) -> bytes:
    """The HTML page of a report (paper.page) as a tagged PDF (PDF/UA-1).

    Raises PdfError when the fonts have not been built.
    """
    # Seconds to load, and most processes never print: only what does waits for it.
    from appliance.reports.pdf import engine

    return engine.write(page)
