"""Keys on paper: groups of four letters, each with a check letter that reveals a mistyped group.

`python3 paper_keys.py repository|recovery|disk` reads a key as typed from standard input and prints
it in the form that the programs accept. Needs only Python, which is all that a bare box has.
"""

import re
import sys
from collections.abc import Sequence

GROUP_LENGTH = 4
CHECK_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # 31: a prime; no letters that look alike
SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyz"
AGE_PREFIX = "AGE-SECRET-KEY-1"
AGE_DATA_LENGTH = 58
PLAIN_KEY_PATTERN = re.compile(rf"[{CHECK_LETTERS}]{{4}}(-[{CHECK_LETTERS}]{{4}}){{5}}")
LITERAL = "="  # a key of another form follows, verbatim


class PaperKeyError(ValueError):
    """A key was mistyped. `groups`: the numbers of the wrong groups, from 1; [] when unknown."""

    def __init__(self, kind: str, groups: Sequence[int] = ()) -> None:
        self.groups = list(groups)
        if groups:
            group_numbers = ", ".join(map(str, groups))
            text = f"key of the {kind}: group {group_numbers} is not as on the sheet"
        else:
            text = f"key of the {kind}: letters are missing, or there are too many"
        super().__init__(text)


def groups(key: str) -> list[str]:
    """Return the groups of a key as printed; [] for a key that the appliance did not create."""
    if PLAIN_KEY_PATTERN.fullmatch(key):
        parts = key.split("-")
    elif re.fullmatch(rf"{AGE_PREFIX}[0-9A-Z]{{{AGE_DATA_LENGTH}}}", key):
        data = key.removeprefix(AGE_PREFIX)
        parts = [
            data[offset : offset + GROUP_LENGTH]
            for offset in range(0, AGE_DATA_LENGTH, GROUP_LENGTH)
        ]
    else:
        return []
    parts_with_check = [f"{part}{check(number, part)}" for number, part in enumerate(parts, 1)]
    return (
        [part.upper() for part in parts_with_check]
        if key.startswith(AGE_PREFIX)
        else parts_with_check
    )


def check(number: int, group: str) -> str:
    """Return the check letter; it reveals a wrong letter, two swapped letters, another group."""
    weights = (position * SYMBOLS.index(letter) for position, letter in enumerate(group.lower(), 1))
    return CHECK_LETTERS[(7 * number + sum(weights)) % len(CHECK_LETTERS)]


def read_key(typed: str, kind: str) -> str:
    """Return the typed key, in groups with check letters or without. Raises PaperKeyError.

    `kind`: repository, recovery or disk.
    """
    text = typed.strip()
    if text.startswith(LITERAL):
        return text[1:]
    if kind == "recovery":
        return _read_recovery_key(text)
    tokens = re.split(r"[\s·-]+", text.lower())
    letters = "".join(tokens)
    if not re.fullmatch(r"[0-9a-z]+", letters) or (
        len(tokens) == 1 and len(letters) not in (24, 30)
    ):
        return text  # a key of another form: the program that uses it decides
    if len(letters) == 24 and all(
        len(token) == GROUP_LENGTH for token in tokens if len(tokens) > 1
    ):
        return "-".join(_split_groups(letters, GROUP_LENGTH))
    return "-".join(_strip_check_letters(tokens, kind, [GROUP_LENGTH + 1] * 6))


def _read_recovery_key(text: str) -> str:
    data = re.sub(r"^AGE[\s-]*SECRET[\s-]*KEY[\s-]*1[\s-]*", "", text.upper())
    tokens = [token for token in re.split(r"[\s·-]+", data.lower()) if token]
    if len("".join(tokens)) == AGE_DATA_LENGTH:
        return AGE_PREFIX + "".join(tokens).upper()
    lengths = [GROUP_LENGTH + 1] * (AGE_DATA_LENGTH // GROUP_LENGTH) + [
        AGE_DATA_LENGTH % GROUP_LENGTH + 1
    ]
    return AGE_PREFIX + "".join(_strip_check_letters(tokens, "recovery", lengths)).upper()


def _strip_check_letters(tokens: Sequence[str], kind: str, lengths: Sequence[int]) -> list[str]:
    """Return the groups without their check letters. Raises PaperKeyError."""
    if len(tokens) != len(lengths):
        letters = "".join(tokens)
        if len(letters) != sum(lengths):
            raise PaperKeyError(kind)
        starts = [sum(lengths[:index]) for index in range(len(lengths))]
        tokens = [
            letters[index : index + size] for index, size in zip(starts, lengths, strict=True)
        ]
    pairs = enumerate(zip(tokens, lengths, strict=True), 1)
    mismatches = [
        number for number, (token, size) in pairs if not _is_valid_group(number, token, size)
    ]
    if mismatches:
        raise PaperKeyError(kind, mismatches)
    return [token[:-1] for token in tokens]


def _is_valid_group(number: int, token: str, size: int) -> bool:
    return (
        len(token) == size
        and not set(token) - set(SYMBOLS)
        and check(number, token[:-1]) == token[-1]
    )


def _split_groups(text: str, size: int) -> list[str]:
    return [text[offset : offset + size] for offset in range(0, len(text), size)]


if __name__ == "__main__":
    try:
        sys.stdout.write(read_key(sys.stdin.readline(), sys.argv[1]))
    except PaperKeyError as error:
        sys.exit(str(error))
