"""Small documents, as people send them."""

import io
import zipfile


def pdf_of(*objects: bytes) -> bytes:
    """A PDF of a catalogue, no page, and more objects."""
    whole, places = b"%PDF-1.7\n", []
    all_objects = (
        b"<</Type /Catalog /Pages 2 0 R>>",
        b"<</Type /Pages /Kids [] /Count 0>>",
        *objects,
    )
    for number, text in enumerate(all_objects, 1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n\r\n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f\r\n" % (len(places) + 1)
    tail = b"trailer\n<</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return whole + head + table + tail % (len(places) + 1, len(whole))


def docx_of(body: bytes) -> bytes:
    """A Word document with that body, as a package of its least parts."""
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    word = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    sent = io.BytesIO()
    with zipfile.ZipFile(sent, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{types}"><Override PartName="/word/document.xml" '
            f'ContentType="{main}"/></Types>',
        )
        package.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{relations}"><Relationship Id="a" Type="{relation}" '
            'Target="word/document.xml"/></Relationships>',
        )
        whole = b'<w:document xmlns:w="%s"><w:body>%s</w:body></w:document>' % (word, body)
        package.writestr("word/document.xml", whole)
    return sent.getvalue()
