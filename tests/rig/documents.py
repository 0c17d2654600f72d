"""Small documents, as people send them."""


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
