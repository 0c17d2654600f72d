"""Reports as PDF files, each made by a process of its own.

So no page waits for another one's paper, and no process that stays keeps what only printing needs.
"""

import os
import subprocess
import sys
import tempfile

PATIENCE = 300.0  # seconds


class PdfError(RuntimeError):
    """A report cannot be printed; the message says what is missing."""


def write(page: str) -> bytes:
    """The HTML page of a report (paper.page) as a tagged PDF (PDF/UA-1).

    Raises PdfError when the fonts have not been built, or it takes longer than PATIENCE.
    """
    printer = [sys.executable, "-m", "appliance.reports.pdf.engine"]
    command = ["setpriv", "--pdeathsig", "KILL", "--", *printer]
    try:
        # Its fonts lie in a folder that it leaves behind, however it ends.
        with tempfile.TemporaryDirectory(prefix="paper-") as folder:
            done = subprocess.run(  # noqa: S603  our own program
                command,
                input=page.encode(),
                capture_output=True,
                timeout=PATIENCE,
                env=os.environ | {"TMPDIR": folder},
            )
    except subprocess.TimeoutExpired as error:
        raise PdfError(f"not printed within {PATIENCE:.0f} s") from error
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise PdfError(last[-1] if last else f"the printer ended with {done.returncode}")
    return done.stdout
