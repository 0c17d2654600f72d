"""Expressions of FTS5, SQLite's full-text search: they say which entries of the index match."""

from collections.abc import Iterable, Sequence


def quote_words(words: Iterable[str]) -> list[str]:
    """Return each word as an FTS5 string, which FTS5 takes as a word even if it is an operator."""
    return [f'"{word}"' for word in words]


def any_of(matches: Sequence[str]) -> str:
    """Return the FTS5 expression for entries that match at least one of these expressions.

    There must be at least one. The result is in brackets if it needs them.
    """
    return f"({' OR '.join(matches)})" if len(matches) > 1 else matches[0]


def all_of(matches: Sequence[str]) -> str:
    """Return the FTS5 expression for entries that match all of these expressions.

    The result has no brackets; add them before joining it with OR.
    """
    return " AND ".join(matches)
