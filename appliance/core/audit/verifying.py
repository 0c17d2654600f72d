"""The whole chain read anew and compared with every head that is known."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from appliance.core import db
from appliance.core.audit import Head, anchors, broken_at, head, heads, holds
from appliance.core.audit.heads import Noted
from appliance.core.settings import Settings

TRIGGERS = frozenset(
    f"{table}_{what}" for table in ("audit_entry", "audit_anchor") for what in ("update", "delete")
)


@dataclass(frozen=True)
class Verdict:
    """What was found. `first_wrong` and `until`: the first wrong entry is one of these ids.

    Where a row does not fit the one before, it is known: both are its id. Where the chain fits and
    a head is not in it, or is signed by another, it was written anew or cut off behind the last
    head that holds.
    """

    head: Head | None
    broken_at: int | None
    missing: list[Head] = field(default_factory=list)
    forged: list[Head] = field(default_factory=list)  # signed, but not by our key
    unguarded: bool = False  # rows could be changed
    restored: list[Noted] = field(default_factory=list)  # to where restores went back
    signed: int = 0
    first_wrong: int | None = None
    until: int | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.forged or self.unguarded or self.broken_at is not None)


def verify(settings: Settings, given: Iterable[Head] = ()) -> Verdict:
    """Read all of it; `given` are heads from elsewhere. Raises ValueError for what is unreadable:
    a line of the noted heads, a key (KeyTrouble)."""
    noted = heads.noted(settings)
    good, forged = anchors.signed(settings) if settings.audit.public_key else ([], [])
    known = [*(one.head for one in noted if not one.restored), *good, *given]
    gone = [
        *(one.head for one in heads.missing(noted)),
        *(one for one in [*good, *given] if not holds(one)),
    ]
    gone = sorted(dict.fromkeys(gone), key=lambda one: one.id)
    broken, end = broken_at(), head()
    first = until = broken
    if wrong := [*gone, *forged]:
        last = min(one.id for one in wrong)
        held = max((k.id for k in known if k.id < last and holds(k)), default=0)
        if broken is None or broken > last:
            first, until = held + 1, last
    return Verdict(
        end,
        broken,
        missing=gone,
        forged=forged,
        unguarded=not guarded(),
        restored=[one for one in noted if one.restored],
        signed=len(good),
        first_wrong=first,
        until=until,
    )


def guarded() -> bool:
    """Whether the database refuses to change or remove what was written."""
    there = db.triggers()
    return all(_refuses(name, there.get(name, "")) for name in TRIGGERS)


def _refuses(name: str, made_by: str) -> bool:
    """Whether a trigger does what its name says: another of that name may do nothing."""
    table, _, what = name.rpartition("_")
    begins = f"CREATE TRIGGER {name} BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT,"
    return made_by.replace('"', "").startswith(begins)
