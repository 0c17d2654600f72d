"""Text as a short message takes it: the cheap alphabet, and how many parts it fills."""

import gsm0338

# Uzbek's own signs are not in GSM 03.38 and would halve what a part holds.
_PLAIN = str.maketrans({"ʻ": "'", "ʼ": "'", "‘": "'", "’": "'", "`": "'", "«": '"', "»": '"'})
_WHOLE, _PART = {7: 160, 16: 70}, {7: 153, 16: 67}


def plain(text: str) -> str:
    """The text with Uzbek's apostrophes in ASCII, lines and spaces trimmed."""
    return " ".join(text.translate(_PLAIN).split())


def segments(text: str) -> int:
    """How many parts a message of this text is sent and paid as."""
    try:
        bits, length = 7, len(text.encode("gsm03.38"))
    except UnicodeEncodeError:
        bits, length = 16, len(text.encode("utf-16-be")) // 2
    return 1 if length <= _WHOLE[bits] else -(-length // _PART[bits])


gsm0338.Codec  # noqa: B018  importing it makes the codec known
