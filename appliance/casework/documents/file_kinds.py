"""The kind of an article's document: a PDF or a Word document that does nothing by itself."""

from appliance.casework.documents import PDF_BEGINNING, ZIP_BEGINNING
from appliance.casework.documents.errors import DocumentError
from appliance.casework.documents.package import check_docx
from appliance.casework.documents.pdf import check_pdf


def kind_of(content: bytes) -> str:
    """`pdf` or `docx`. Raises DocumentError: `kind`, `macro`, `bomb`."""
    if content.startswith(PDF_BEGINNING):
        check_pdf(content)
        return "pdf"
    if content.startswith(ZIP_BEGINNING):
        check_docx(content)
        return "docx"
    raise DocumentError("kind")
