"""Phone numbers: how they are written, kept and read."""

import functools
import re

import phonenumbers

# Area and operator codes that numbers in Uzbekistan begin with.
_AREA = re.compile(r"20|33|5[05]|6[125679]|7\d|8[078]|9[0-57-9]")

_LONG = 10  # characters with the plus: so much is left out that nobody guesses it


def digits(text: str) -> str:
    """The text without what people put between digits."""
    return re.sub(r"[\s()\-–.]", "", text)


@functools.lru_cache(10_000)
def canonical(text: str) -> str | None:
    """The number with its plus and country code, a short number as it is dialled, or None.

    Takes what people say and dial: brackets and dashes, 998 without the plus, 8 before the area,
    00 or 8 10 before the country. What comes out is taken again, and stays as it is.
    """
    plain = digits(text)
    if re.fullmatch(r"1\d{2,4}|0\d{1,2}", plain, re.ASCII):
        return plain
    country = re.match(r"\+|00|810(?=\d{7})", plain, re.ASCII)
    plain = plain[country.end() if country else 0 :]
    if not re.fullmatch(r"\d{7,15}", plain, re.ASCII):
        return None
    if plain.startswith("998") and (country or len(plain) == 12):
        return f"+{plain}" if len(plain) == 12 else None
    if country:
        return _abroad(plain)
    if len(plain) == 10 and plain.startswith("8"):
        plain = plain[1:]
    return f"+998{plain}" if len(plain) == 9 and _AREA.match(plain) else None


def grouped(number: str) -> str:
    """A phone number with spaces, as people read it: +998 93 555 01 47."""
    local = re.fullmatch(r"\+998(\d\d)(\d{3})(\d\d)(\d\d)", number)
    return f"+998 {' '.join(local.groups())}" if local else number


def masked(text: str) -> str:
    """A phone number of which country, operator and the last two digits can be read.

    +99893 *** ** 47; of a short one, and of what is no number, the last two digits alone.
    """
    number = canonical(text) or text
    if len(number) >= _LONG and number.startswith("+"):
        return f"{number[:6]} *** ** {number[-2:]}"
    return re.sub(r"\d(?=(?:\D*\d){2})", "*", number)


def _abroad(plain: str) -> str | None:
    """A number of another country from its country code on; None when it has none, or as many
    digits as no number there."""
    try:
        number = phonenumbers.parse(f"+{plain}")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
