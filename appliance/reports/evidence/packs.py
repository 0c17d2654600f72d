"""Asking for packs, making them, and giving them out for a while."""

import datetime as dt
import hashlib
import logging
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from peewee import Expression

from appliance.casework import appeals
from appliance.core import audit, clock, files, live, signatures
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import EvidencePack as Pack
from appliance.models import User
from appliance.people import rights
from appliance.reports.evidence import contents, layout, printing
from appliance.reports.evidence.contents import Matter
from appliance.telephony import recordings

log = logging.getLogger(__name__)

KEPT = dt.timedelta(days=30)  # then the file goes; the row and its hash stay
MANIFEST, SIGNATURE, PUBLIC_KEY = "manifest.sha256", "manifest.sha256.sig", "public-key.pem"
DESCRIPTION = "pack.json"
HOW = "how-to-verify.pdf"
TOPIC = "evidence"
_SHORTEST = 3  # letters of a reason
_PIECE = 1024 * 1024  # bytes read at once
_ERROR = 500  # letters


class Refused(ValueError):
    """A pack cannot be asked for; `code`: "reason" (none), "closed" (a part of it is not open to
    whoever asks), "key" (the site has none to sign with)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def may_make(user: User) -> bool:
    """Whether somebody may have packs made of what he sees."""
    match rights.scope_of(user, "evidence.make"):
        case rights.REASON:
            return True
        case rights.GIVEN:
            return recordings.may_listen(user)
    return False


def ask(settings: Settings, user: User, call_id: str, appeal: str, reason: str) -> Pack:
    """Ask for a pack about a call, or about one appeal and its call, that the user sees whole.

    Raises PermissionError, LookupError (he sees none such), Refused.
    """
    if not may_make(user):
        raise PermissionError(user.login)
    reason = " ".join(reason.split())[:_ERROR]
    if len(reason) < _SHORTEST:
        raise Refused("reason")
    if not settings.audit.key or not settings.audit.public_key:
        raise Refused("key")
    if appeal:
        found = appeals.find(appeal, user)
        if not found:
            raise LookupError(appeal)
        if found.veiled:
            raise Refused("closed")
        call_id = found.call_id or ""
    else:
        if not appeals.call_open_to(user, call_id):
            raise LookupError(call_id)
        seen = appeals.visible_of_call(call_id, user)
        if any(one.veiled for one in seen) or len(seen) < len(appeals.of_call(call_id)):
            raise Refused("closed")
    return put(call_id, appeal, user.login, reason)


def put(call_id: str, appeal: str, by: str, reason: str) -> Pack:
    """Write down that a pack is to be made; whoever calls it has seen to the right."""
    with writing():
        pack = Pack.create(
            call_id=call_id, appeal=appeal, by=by, reason=reason, asked_at=clock.now()
        )
        proof = audit.fingerprint(reason)
        audit.record(by, "evidence.ask", appeal or call_id, pack=pack.id, reason_sha256=proof)
        live.publish(TOPIC)
    return pack


def find(number: int, user: User) -> Pack | None:
    """The pack of this number, if the user asked for it or is a manager who may make his own."""
    if not may_make(user):
        return None
    pack = Pack.get_or_none(Pack.id == number)
    return pack if pack and _is_open_to(pack, user) else None


def listed(user: User, limit: int = 200) -> list[Pack]:
    """The packs that a user may have, the newest first."""
    rows = Pack.select()
    if rights.scope_of(user, "evidence.make") != rights.REASON:
        rows = rows.where(Pack.by == user.login)
    return list(rows.order_by(Pack.id.desc()).limit(limit))


def of_call(call_id: str, user: User) -> list[Pack]:
    """The packs of a call that a user may have, the newest first."""
    return _of(Pack.call_id == call_id, user)


def of_appeal(number: str, user: User) -> list[Pack]:
    """The packs of an appeal that a user may have, the newest first."""
    return _of(Pack.appeal == number, user)


def content(settings: Settings, pack: Pack) -> Path | None:
    """The file of a pack; None when it is not made, was removed or is not as it was made."""
    file = folder(settings) / pack.file
    if pack.state != "made" or not file.is_file() or _hash(file) != pack.sha256:
        return None
    return file


def waits() -> dt.datetime | None:
    """When the newest pack that waits to be made was asked for; None when none does."""
    waiting = Pack.select().where(Pack.state == "asked").order_by(Pack.id.desc()).first()
    return waiting and waiting.asked_at


def make_asked(settings: Settings, goes_on: Callable[[], bool] = lambda: True) -> str:
    """Make what was asked for, remove what is old enough; returns what was done, in words."""
    made = []
    for pack in Pack.select().where(Pack.state == "asked").order_by(Pack.id):
        if not goes_on():
            break
        try:
            state = make(settings, pack).state
        except Exception as error:  # the boundary of a job: the next pack is another's
            log.exception("evidence pack %s failed", pack.id)
            _failed(pack, error)
        else:
            made += [f"evidence pack {pack.id} made"] if state == "made" else []
    _remove_files(settings)
    old = Pack.made_at < Pack.made_at.db_value(clock.now() - KEPT)
    for pack in Pack.select().where(Pack.state == "made", old):
        remove(settings, pack, "jobs")
        made.append(f"evidence pack {pack.id} removed")
    return ", ".join(made)


def make(settings: Settings, pack: Pack) -> Pack:
    """Make a pack and sign it. Raises signatures.KeyTrouble, pdf.PdfError, OSError.

    Nothing stays of one that was removed in the time that it takes, as when its citizen is masked.
    """
    about = contents.matter(settings, pack)
    place = folder(settings)
    place.mkdir(mode=0o750, parents=True, exist_ok=True)
    name = f"evidence-{pack.id:06}.zip"
    fresh = place / f"{name}.new"
    try:
        _write(settings, pack, about, fresh)
        sha256, size = _hash(fresh), fresh.stat().st_size
        with writing():
            made = {"state": "made", "made_at": clock.now(), "error": ""}
            file = {"file": name, "sha256": sha256, "size": size}
            if not Pack.update(made | file).where(*_still_wanted(pack)).execute():
                return Pack.get_by_id(pack.id)
            os.replace(fresh, place / name)
            audit.record(
                "jobs", "evidence.make", pack.appeal or pack.call_id, pack=pack.id, sha256=sha256
            )
            live.publish(TOPIC)
    finally:
        fresh.unlink(missing_ok=True)
    return Pack.get_by_id(pack.id)


def _still_wanted(pack: Pack) -> tuple[Expression, ...]:
    return Pack.id == pack.id, Pack.state != "gone"


def remove(settings: Settings, pack: Pack, by: str) -> None:
    """Remove a pack's file; that it was made, and its hash, stay."""
    with writing():
        Pack.update(state="gone").where(Pack.id == pack.id).execute()
        audit.record(by, "evidence.remove", pack.appeal or pack.call_id, pack=pack.id)
        live.publish(TOPIC)
    _remove_files(settings)


def _remove_files(settings: Settings) -> None:
    """Remove the files of packs that are gone.

    The pages may only read them (docs/security.md): what they cannot remove, `appliance jobs` does.
    """
    there = [file.name for file in folder(settings).glob("*.zip")]
    for pack in Pack.select().where(Pack.state == "gone", Pack.file.in_(there)):
        files.remove(folder(settings) / pack.file)


def folder(settings: Settings) -> Path:
    """Where packs lie for a while: beside the database, in no snapshot."""
    return settings.paths.database.parent / "evidence"


def _write(settings: Settings, pack: Pack, about: Matter, file: Path) -> None:
    public = newest_key(settings)
    hashes: dict[str, str] = {}
    with open(file, "wb", opener=lambda f, flags: os.open(f, flags, 0o640)) as out:
        with zipfile.ZipFile(out, "w", allowZip64=False) as made:
            for name, what in contents.files(settings, pack, about):
                hashes[name] = _add(made, name, what)
            for name, printed in printing.papers(settings, pack, about, hashes, public):
                hashes[name] = _add(made, name, printed)
            hashes[HOW] = _add(made, HOW, printing.how(settings, pack, public))
            hashes[PUBLIC_KEY] = _add(made, PUBLIC_KEY, public)
            manifest = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()
            _add(made, MANIFEST, manifest)
            signature = signatures.sign(manifest, settings.audit.key, "audit.key")
            if not signatures.is_signed(
                manifest, signature, settings.audit.public_key, "audit.public_key"
            ):
                raise signatures.KeyTrouble("audit.public_key is not that of audit.key")
            _add(made, SIGNATURE, signature)
        out.flush()
        os.fsync(out.fileno())


def newest_key(settings: Settings) -> bytes:
    """The public key that verifies what is signed now, in PEM. Raises signatures.KeyTrouble."""
    return signatures.public_keys(settings.audit.public_key, "audit.public_key")[0]


def _add(pack: zipfile.ZipFile, name: str, what: bytes | Path) -> str:
    """Put bytes, or a file's, into a pack, as layout.py wants it; returns their hash."""
    kind = zipfile.ZipInfo(name, layout.DATE_TIME)
    kind.external_attr = layout.MODE
    if isinstance(what, bytes):
        pack.writestr(kind, what)
        return hashlib.sha256(what).hexdigest()
    found = hashlib.sha256()
    with what.open("rb") as source, pack.open(kind, "w") as target:
        while piece := source.read(_PIECE):
            found.update(piece)
            target.write(piece)
    return found.hexdigest()


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _of(about: object, user: User) -> list[Pack]:
    if not may_make(user):
        return []
    rows = Pack.select().where(about).order_by(Pack.id.desc())
    return [pack for pack in rows if _is_open_to(pack, user)]


def _is_open_to(pack: Pack, user: User) -> bool:
    """Its maker has seen all of it; a manager could have it made himself, unless it is personal."""
    if pack.by == user.login:
        return True
    if rights.scope_of(user, "evidence.make") != rights.REASON:
        return False
    if pack.appeal:
        found = appeals.find(pack.appeal, user)
        return bool(found and not found.veiled)
    return not any(one.veiled for one in appeals.visible_of_call(pack.call_id, user))


def _failed(pack: Pack, error: Exception) -> None:
    with writing():
        reason = f"{type(error).__name__}: {error}"[:_ERROR]
        Pack.update(state="failed", error=reason).where(*_still_wanted(pack)).execute()
        live.publish(TOPIC)
