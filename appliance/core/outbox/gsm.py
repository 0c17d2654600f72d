"""Text as a short message takes it: the cheap alphabet, and how many parts it fills."""

import gsm0338

# Uzbek's own signs are not in GSM 03.38 and would halve what a part holds.
_PLAIN = str.maketrans({"ʻ": "'", "ʼ": "'", "‘": "'", "’": "'", "`": "'", "«": '"', "»": '"'})
_WHOLE, _PART = {7: 160, 16: 140}, {7: 153, 16: 134}  # bytes: one a sign, or two
_ESCAPE = 0x1B  # the sign after it is of the second table, and not parted from it


def plain(text: str) -> str:
    """The text with Uzbek's apostrophes in ASCII, lines and spaces trimmed."""
    return " ".join(text.translate(_PLAIN).split())


def segments(text: str) -> int:
    """How many parts a message of this text is sent and paid as."""
    return len(parts(text)[1])


def parts(text: str) -> tuple[int, list[bytes]]:
    """The bits of a sign (7 or 16), and the bytes of each part.

    Signs of 7 bits are a byte each, as SMPP takes them. No sign is cut in two.
    """
    try:
        bits, left = 7, text.encode("gsm03.38")
    except UnicodeEncodeError:
        bits, left = 16, text.encode("utf-16-be")
    if len(left) <= _WHOLE[bits]:
        return bits, [left]
    found = []
    while left:
        end = _PART[bits]
        if len(left) > end and _cuts(left, end, bits):
            end -= bits // 8 or 1
        found.append(left[:end])
        left = left[end:]
    return bits, found


def _cuts(data: bytes, end: int, bits: int) -> bool:
    """Whether a cut before `end` would part a sign that takes two places."""
    if bits == 7:
        return data[end - 1] == _ESCAPE
    return 0xD8 <= data[end - 2] < 0xDC


gsm0338.Codec  # noqa: B018  importing it makes the codec known
