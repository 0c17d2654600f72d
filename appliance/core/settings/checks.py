"""What settings of several parts are checked by."""

from collections.abc import Collection, Iterable


def known(where: str, named: Iterable[str], known: Collection[str]) -> None:
    if strange := sorted({*named} - {*known}):
        raise ValueError(f"{where}: {', '.join(strange)}: none of {', '.join(known)}")
