"""Detects the kind of an article's document: a PDF or a Word document without active content."""

from appliance.casework.documents import PDF_SIGNATURE, ZIP_SIGNATURE
from appliance.casework.documents.package import check_docx
from appliance.casework.documents.pdf import check_pdf
from appliance.core.refusals import Refused


def detect_file_kind(content: bytes) -> str:
    """Check a file completely, and return its kind: `pdf` or `docx`.

    Raises Refused with the codes of documents.file_kind().
    """
    if content.startswith(PDF_SIGNATURE):
        check_pdf(content)
        return "pdf"
    if content.startswith(ZIP_SIGNATURE):
        check_docx(content)
        return "docx"
    raise Refused("kind")
