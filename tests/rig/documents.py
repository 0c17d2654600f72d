"""Small documents of the kinds that people send."""

import io
import zipfile


def make_pdf(*objects: bytes) -> bytes:
    """A PDF with a catalogue, no page, and these objects."""
    content, offsets = b"%PDF-1.7\n", []
    all_objects = (
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"<</Type /Pages /Kids [] /Count 0>>",
        *objects,
    )
    for number, text in enumerate(all_objects, 1):
        offsets.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n\r\n" % offset for offset in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f\r\n" % (len(offsets) + 1)
    tail = b"trailer\n<</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return content + head + table + tail % (len(offsets) + 1, len(content))


def make_docx(body: bytes) -> bytes:
    """A Word document with this body, in the smallest possible package."""
    main_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    relation_type = (
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    )
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    word_namespace = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{types}"><Override PartName="/word/document.xml" '
            f'ContentType="{main_type}"/></Types>',
        )
        package.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{relations}"><Relationship Id="a" Type="{relation_type}" '
            'Target="word/document.xml"/></Relationships>',
        )
        document = b'<w:document xmlns:w="%s"><w:body>%s</w:body></w:document>' % (
            word_namespace,
            body,
        )
        package.writestr("word/document.xml", document)
    return buffer.getvalue()
