"""Texts as SMS: the compact GSM alphabet, and how many parts a text needs."""

import gsm0338

# These characters are not in GSM 03.38: with one of them, a part holds less than half as much.
_ASCII_REPLACEMENTS = str.maketrans(
    {"ʻ": "'", "ʼ": "'", "‘": "'", "’": "'", "`": "'", "«": '"', "»": '"'}
)
# One of several parts also holds a header, by which the phone joins them.
_SINGLE_PART_BYTES, _PART_BYTES = {7: 160, 16: 140}, {7: 153, 16: 134}  # by bits of a character
_ESCAPE = 0x1B  # the next character is from the second table and must not be separated from it


def use_ascii_quotes(text: str) -> str:
    """Return the text of an SMS with ASCII apostrophes and quotation marks, and single spaces.

    Uzbek's own signs are not in the GSM alphabet: one of them more than halves what an SMS holds.
    """
    return " ".join(text.translate(_ASCII_REPLACEMENTS).split())


def part_count(text: str) -> int:
    """Return the number of parts in which an SMS is sent and charged; 1 for an empty text."""
    return len(split_parts(text)[1])


def split_parts(text: str) -> tuple[int, list[bytes]]:
    """Split the text of an SMS: return how many bits a character has, and the bytes of each part.

    The bits are 7 if all characters are in the GSM alphabet, otherwise 16 (UCS-2). A character of
    7 bits takes a byte, as SMPP requires. No character is split between two parts.
    """
    try:
        bits, remaining = 7, text.encode("gsm03.38")
    except UnicodeEncodeError:
        bits, remaining = 16, text.encode("utf-16-be")
    if len(remaining) <= _SINGLE_PART_BYTES[bits]:
        return bits, [remaining]
    pieces = []
    while remaining:
        end = _PART_BYTES[bits]
        if len(remaining) > end and _splits_character(remaining, end, bits):
            end -= bits // 8 or 1  # one unit: 1 byte for 7 bits, 2 bytes for 16
        pieces.append(remaining[:end])
        remaining = remaining[end:]
    return bits, pieces


def _splits_character(data: bytes, end: int, bits: int) -> bool:
    """Return True if a cut before the byte `end` would split a character that takes two units.

    `bits` is the size of a unit: 7 (GSM, one unit in each byte of `data`; an escape precedes some
    characters) or 16 (UCS-2, two bytes; a character outside the basic plane takes a pair of
    surrogates).
    """
    if bits == 7:
        return data[end - 1] == _ESCAPE
    return 0xD8 <= data[end - 2] < 0xDC  # the last unit is the first half of such a pair


gsm0338.Codec  # noqa: B018  importing it makes the codec known
