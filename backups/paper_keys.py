"""Keys on paper: groups of four letters, each with a check letter that names a mistyped group.

`python3 paper_keys.py repository|recovery|disk` reads a key as it was typed from standard input and
prints it as the programs take it. Needs nothing but Python: a bare box has no more.
"""

import re
import sys
from collections.abc import Sequence

GROUP = 4
CHECKS = "23456789abcdefghjkmnpqrstuvwxyz"  # 31: a prime, and no letter that looks like another
SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyz"
AGE = "AGE-SECRET-KEY-1"
AGE_LETTERS = 58
PLAIN = re.compile(rf"[{CHECKS}]{{4}}(-[{CHECKS}]{{4}}){{5}}")
LITERAL = "="  # what follows is a key of another form, verbatim


class PaperKeyError(ValueError):
    """A key was mistyped. `groups`: the numbers of the wrong groups, from 1; [] when unknown."""

    def __init__(self, kind: str, groups: Sequence[int] = ()) -> None:
        self.groups = list(groups)
        if groups:
            which = ", ".join(map(str, groups))
            text = f"key of the {kind}: group {which} is not as on the sheet"
        else:
            text = f"key of the {kind}: letters are missing, or there are too many"
        super().__init__(text)


def groups(key: str) -> list[str]:
    """A key in its printed form, group by group; [] for a key that the appliance did not make."""
    if PLAIN.fullmatch(key):
        parts = key.split("-")
    elif re.fullmatch(rf"{AGE}[0-9A-Z]{{{AGE_LETTERS}}}", key):
        data = key.removeprefix(AGE)
        parts = [data[at : at + GROUP] for at in range(0, AGE_LETTERS, GROUP)]
    else:
        return []
    parts_with_check = [f"{part}{check(number, part)}" for number, part in enumerate(parts, 1)]
    return [part.upper() for part in parts_with_check] if key.startswith(AGE) else parts_with_check


def check(number: int, group: str) -> str:
    """The check letter: another one for each wrong letter, two exchanged ones, another group."""
    weights = (at * SYMBOLS.index(letter) for at, letter in enumerate(group.lower(), 1))
    return CHECKS[(7 * number + sum(weights)) % len(CHECKS)]


def read_key(typed: str, kind: str) -> str:
    """The key that was typed: in groups with their check letters, or bare. Raises PaperKeyError.

    `kind`: repository, recovery or disk.
    """
    text = typed.strip()
    if text.startswith(LITERAL):
        return text[1:]
    if kind == "recovery":
        return _recovery(text)
    tokens = re.split(r"[\s·-]+", text.lower())
    whole = "".join(tokens)
    if not re.fullmatch(r"[0-9a-z]+", whole) or (len(tokens) == 1 and len(whole) not in (24, 30)):
        return text  # a key of another form: the program that takes it decides
    if len(whole) == 24 and all(len(token) == GROUP for token in tokens if len(tokens) > 1):
        return "-".join(_cut(whole, GROUP))
    return "-".join(_without_checks(tokens, kind, [GROUP + 1] * 6))


def _recovery(text: str) -> str:
    data = re.sub(r"^AGE[\s-]*SECRET[\s-]*KEY[\s-]*1[\s-]*", "", text.upper())
    tokens = [token for token in re.split(r"[\s·-]+", data.lower()) if token]
    if len("".join(tokens)) == AGE_LETTERS:
        return AGE + "".join(tokens).upper()
    lengths = [GROUP + 1] * (AGE_LETTERS // GROUP) + [AGE_LETTERS % GROUP + 1]
    return AGE + "".join(_without_checks(tokens, "recovery", lengths)).upper()


def _without_checks(tokens: Sequence[str], kind: str, lengths: Sequence[int]) -> list[str]:
    """The groups without their check letters. Raises PaperKeyError."""
    if len(tokens) != len(lengths):
        whole = "".join(tokens)
        if len(whole) != sum(lengths):
            raise PaperKeyError(kind)
        starts = [sum(lengths[:at]) for at in range(len(lengths))]
        tokens = [whole[at : at + size] for at, size in zip(starts, lengths, strict=True)]
    pairs = enumerate(zip(tokens, lengths, strict=True), 1)
    mismatches = [number for number, (token, size) in pairs if not _holds(number, token, size)]
    if mismatches:
        raise PaperKeyError(kind, mismatches)
    return [token[:-1] for token in tokens]


def _holds(number: int, token: str, size: int) -> bool:
    return (
        len(token) == size
        and not set(token) - set(SYMBOLS)
        and check(number, token[:-1]) == token[-1]
    )


def _cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


if __name__ == "__main__":
    try:
        sys.stdout.write(read_key(sys.stdin.readline(), sys.argv[1]))
    except PaperKeyError as error:
        sys.exit(str(error))
