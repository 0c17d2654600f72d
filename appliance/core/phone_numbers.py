"""Phone numbers: parsing, the stored form, and display."""

import functools
import re

import phonenumbers

# Area and operator codes with which numbers in Uzbekistan begin.
_AREA_CODE = re.compile(r"20|33|5[05]|6[125679]|7\d|8[078]|9[0-57-9]")

_MIN_PARTLY_SHOWN_LENGTH = 10  # including the plus; the rest of a shorter one could be guessed


def strip_separators(text: str) -> str:
    """Return a typed phone number without the blanks, brackets, dashes and dots between digits."""
    return re.sub(r"[\s()\-–.]", "", text)


@functools.lru_cache(10_000)
def canonical_number(text: str) -> str | None:
    """Return a typed phone number in the form that is stored, such as +998935550147.

    This is plus, country code and number; a short number stays as dialled. Accepts the forms that
    people say and dial: brackets and dashes, 998 without the plus, 8 before the area code, 00 or 8
    10 before the country code. A canonical number is returned unchanged. Returns None if the number
    is invalid.
    """
    plain = strip_separators(text)
    # Short numbers: of services and hotlines (102, 1140), and of emergency services (01).
    if re.fullmatch(r"1\d{2,4}|0\d{1,2}", plain, re.ASCII):
        return plain
    international_prefix = re.match(r"\+|00|810(?=\d{7})", plain, re.ASCII)
    plain = plain[international_prefix.end() if international_prefix else 0 :]
    if not re.fullmatch(r"\d{7,15}", plain, re.ASCII):  # E.164 allows no more than 15
        return None
    if plain.startswith("998") and (international_prefix or len(plain) == 12):
        return f"+{plain}" if len(plain) == 12 else None
    if international_prefix:
        return _foreign_number(plain)
    # An Uzbek number has nine digits without 998; before these 8 was dialled for another area.
    if len(plain) == 10 and plain.startswith("8"):
        plain = plain[1:]
    return f"+998{plain}" if len(plain) == 9 and _AREA_CODE.match(plain) else None


def grouped_number(number: str) -> str:
    """Return a number in canonical form with spaces, for people to read: +998 93 555 01 47.

    A short number and one of another country stay unchanged.
    """
    local = re.fullmatch(r"\+998(\d\d)(\d{3})(\d\d)(\d\d)", number)
    return f"+998 {' '.join(local.groups())}" if local else number


def masked_number(text: str) -> str:
    """Return a phone number, to hide it from a reader, with most of its digits replaced.

    Only the country, the operator and the last two digits are shown, for instance +99893 *** ** 47;
    of a short number, and of a text that is not a number, only the last two digits.
    """
    number = canonical_number(text) or text
    if len(number) >= _MIN_PARTLY_SHOWN_LENGTH and number.startswith("+"):
        return f"{number[:6]} *** ** {number[-2:]}"
    # Each digit that at least two others follow.
    return re.sub(r"\d(?=(?:\D*\d){2})", "*", number)


def _foreign_number(plain: str) -> str | None:
    """Return a number with a foreign country code, in canonical form.

    `plain` holds its digits only, from the country code on. Returns None if the country code is
    unknown or no number there has this number of digits.
    """
    try:
        number = phonenumbers.parse(f"+{plain}")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
