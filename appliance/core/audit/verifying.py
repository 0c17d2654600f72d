"""Verification of the whole audit against every known head (a newest entry that was noted)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from appliance.core import db
from appliance.core.audit import Head, anchors, chain_head, first_broken_id, heads, is_in_chain
from appliance.core.audit.heads import NotedHead
from appliance.core.settings import Settings

GUARD_TRIGGERS = frozenset(
    f"{table}_{what}" for table in ("audit_entry", "audit_anchor") for what in ("update", "delete")
)


@dataclass(frozen=True)
class Verdict:
    """The result of a verification of the audit: whether, and where, it was altered.

    The first wrong entry has an id from `first_wrong_min_id` to `first_wrong_max_id` (None: no
    entry is wrong). If its hash does not match, the place is known exactly: both are its id. If all
    hashes match but a known head is not in the chain, or was not signed by the appliance's key, the
    chain was rewritten or cut off: after the last known head that is still in it, and at the latest
    at the first wrong head.
    """

    head: Head | None  # the newest entry now; None if there are no entries
    broken_at: int | None  # id of the first entry whose hash does not match
    missing: list[Head] = field(default_factory=list)  # known heads that are not in the chain
    forged: list[Head] = field(default_factory=list)  # signed, but not with the appliance's key
    unguarded: bool = False  # the triggers that refuse changes of rows are missing
    restored: list[NotedHead] = field(default_factory=list)  # the heads to which restores went back
    signed: int = 0  # number of heads with a valid signature
    first_wrong_min_id: int | None = None
    first_wrong_max_id: int | None = None

    @property
    def is_sound(self) -> bool:
        """True if the verification found no fault: the audit was not altered."""
        return not (self.missing or self.forged or self.unguarded or self.broken_at is not None)


def verify_chain(settings: Settings, other_heads: Iterable[Head] = ()) -> Verdict:
    """Verify that no entry of the audit was altered: by all hashes, and by each known head.

    A head is the id and hash of an entry, noted or signed while it was the newest; the entry must
    still have this hash. `other_heads` are heads noted elsewhere, such as on paper. The first wrong
    entry is at the first hash that does not match, or, if this is earlier, between the last sound
    head and the first head that is missing or forged.

    Raises ValueError if a line of the noted heads cannot be parsed, or a key cannot be read
    (SigningKeyError).
    """
    noted_heads = heads.read_noted_heads(settings)
    valid, forged = anchors.signed_heads(settings) if settings.audit.public_key else ([], [])
    # These narrow down the place of a fault; heads to which a restore went back are only reported.
    reference_heads = [
        *(item.head for item in noted_heads if not item.restored),
        *valid,
        *other_heads,
    ]
    # Signed heads are restored with the database; noted ones may be missing because of a restore.
    missing = [
        *(item.head for item in heads.missing_heads(noted_heads)),
        *(item for item in [*valid, *other_heads] if not is_in_chain(item)),
    ]
    missing = sorted(dict.fromkeys(missing), key=lambda head: head.id)
    broken_id, current = first_broken_id(), chain_head()
    first_wrong_min_id, first_wrong_max_id = _first_wrong_range(
        broken_id, reference_heads, [*missing, *forged]
    )
    return Verdict(
        current,
        broken_id,
        missing=missing,
        forged=forged,
        unguarded=not is_guarded(),
        restored=[item for item in noted_heads if item.restored],
        signed=len(valid),
        first_wrong_min_id=first_wrong_min_id,
        first_wrong_max_id=first_wrong_max_id,
    )


def _first_wrong_range(
    broken_id: int | None, reference_heads: Iterable[Head], wrong_heads: Collection[Head]
) -> tuple[int | None, int | None]:
    """Return the lowest and the highest id that the first wrong entry can have.

    Both are None if no entry is wrong. `broken_id` is the id of the first entry whose hash does not
    match, or None. `wrong_heads` are the heads that are missing or forged; of `reference_heads`,
    those that are in the chain prove that the entries up to them are right.
    """
    if not wrong_heads:
        return broken_id, broken_id
    earliest_wrong_head_id = min(head.id for head in wrong_heads)
    # A hash that does not match at or before the wrong head is the first fault, known exactly.
    if broken_id is not None and broken_id <= earliest_wrong_head_id:
        return broken_id, broken_id
    sound_ids = (
        head.id
        for head in reference_heads
        if head.id < earliest_wrong_head_id and is_in_chain(head)
    )
    # Without a sound head, the fault may be in any entry from the first on.
    return max(sound_ids, default=0) + 1, earliest_wrong_head_id


def is_guarded() -> bool:
    """Return True if the database refuses to change or remove the audit's rows.

    The rows are the entries and the signed heads; triggers protect them.
    """
    definitions = db.trigger_definitions()
    return all(_is_guard_trigger(name, definitions.get(name, "")) for name in GUARD_TRIGGERS)


def _is_guard_trigger(name: str, definition: str) -> bool:
    """Return True if a trigger's definition refuses the operation in its name.

    For instance, audit_entry_update must refuse an UPDATE. The name alone proves nothing: somebody
    could have replaced the trigger by one that does nothing. `definition` is its SQL statement, ""
    if it does not exist.
    """
    table, _, operation = name.rpartition("_")
    expected_start = (
        f"CREATE TRIGGER {name} BEFORE {operation} ON {table} BEGIN SELECT RAISE(ABORT,"
    )
    return definition.replace('"', "").startswith(expected_start)
