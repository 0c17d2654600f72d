"""Reports as PDF files, each made by its own process.

So no request waits while the PDF of another one is made, and no long-lived process keeps the memory
that only printing needs.
"""

import os
import subprocess
import sys
import tempfile

TIMEOUT_SECONDS = 300.0


class PdfError(RuntimeError):
    """A page cannot be printed; the message gives the reason."""


def write_pdf(html: str) -> bytes:
    """Return an HTML page, such as a report by paper.render_page(), as a tagged PDF.

    No file is written. Raises PdfError if it takes longer than TIMEOUT_SECONDS or fails, for
    example because the fonts have not been built.
    """
    engine_command = [sys.executable, "-m", "appliance.reports.pdf.engine"]
    command = ["setpriv", "--pdeathsig", "KILL", "--", *engine_command]
    try:
        # The engine leaves its fonts in the temporary folder, however it ends.
        with tempfile.TemporaryDirectory(prefix="paper-") as folder:
            process = subprocess.run(  # noqa: S603  our own program
                command,
                input=html.encode(),
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
                env=os.environ | {"TMPDIR": folder},
            )
    except subprocess.TimeoutExpired as error:
        raise PdfError(f"not printed within {TIMEOUT_SECONDS:.0f} s") from error
    if process.returncode:
        error_lines = process.stderr.decode("utf-8", "replace").strip().splitlines()
        raise PdfError(
            error_lines[-1] if error_lines else f"the printer ended with {process.returncode}"
        )
    return process.stdout
