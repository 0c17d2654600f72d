"""Requesting evidence packs, making them, and providing them for a limited time.

The state of a pack: asked (requested) | made | failed | gone (removed).
"""

import datetime as dt
import hashlib
import logging
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from peewee import Expression

from appliance.casework.appeals import queries
from appliance.core import audit, clock, files, live, signatures
from appliance.core.db import write_transaction
from appliance.core.files import locked_folder
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.models import EvidencePack, User
from appliance.people import rights
from appliance.reports.evidence import contents, layout, printing
from appliance.reports.evidence.contents import PackSubject
from appliance.telephony import recordings

log = logging.getLogger(__name__)

# after this period the file is removed; the row with its hash stays
RETENTION_PERIOD = dt.timedelta(days=30)
MANIFEST, SIGNATURE, PUBLIC_KEY = "manifest.sha256", "manifest.sha256.sig", "public-key.pem"
DESCRIPTION = "pack.json"
INSTRUCTIONS = "how-to-verify.pdf"
LIVE_TOPIC = "evidence"
_MIN_REASON_CHARACTERS = 3
_CHUNK_BYTES = 1024 * 1024  # read at a time
_MAX_TEXT_CHARACTERS = 500  # of reasons and errors


def can_make_packs(user: User) -> bool:
    """Return True if the user may request packs about records that they can see.

    Managers may; users of the ministry may if they have been granted the right to listen.
    """
    match rights.scope_of(user, "evidence.make"):
        case rights.WITH_REASON:
            return True
        case rights.WITH_GRANT:
            return recordings.can_listen(user)
    return False


def request_pack(
    settings: Settings, user: User, call_id: str, appeal: str, reason: str
) -> EvidencePack:
    """Request a pack about a call, or about one appeal and its call.

    `appeal` is the appeal's number; if it is "", the pack is about the call `call_id`. Raises
    PermissionError if the user may not request packs, LookupError if they see no such record,
    Refused with the code "reason" if the reason is missing, "closed" if they may not read all of
    it, "key" if the site has no key to sign with.
    """
    if not can_make_packs(user):
        raise PermissionError(user.login)
    reason = " ".join(reason.split())[:_MAX_TEXT_CHARACTERS]
    if len(reason) < _MIN_REASON_CHARACTERS:
        raise Refused("reason")
    if not settings.audit.key or not settings.audit.public_key:
        raise Refused("key")
    if appeal:
        found_appeal = queries.find_appeal(appeal, user)
        if not found_appeal:
            raise LookupError(appeal)
        if found_appeal.veiled:
            raise Refused("closed")
        call_id = found_appeal.call_id or ""
    else:
        if not queries.viewable_call(user, call_id):
            raise LookupError(call_id)
        visible_appeals = queries.visible_appeals_of_call(call_id, user)
        if any(call_appeal.veiled for call_appeal in visible_appeals) or len(visible_appeals) < len(
            queries.appeals_of_call(call_id)
        ):
            raise Refused("closed")
    return queue_pack(call_id, appeal, user.login, reason)


def queue_pack(call_id: str, appeal: str, login: str, reason: str) -> EvidencePack:
    """Queue a pack to be made; the calling function must have checked the user's permission.

    `appeal` is the number of the appeal that the pack is about, "" for a whole call; `call_id` is
    "" for an appeal without a call. `login` is that of the user who requests the pack.
    """
    with write_transaction():
        pack: EvidencePack = EvidencePack.create(
            call_id=call_id, appeal=appeal, by=login, reason=reason, asked_at=clock.now()
        )
        reason_hash = audit.text_fingerprint(reason)
        audit.record_entry(
            login, "evidence.ask", appeal or call_id, pack=pack.id, reason_sha256=reason_hash
        )
        live.publish_topics(LIVE_TOPIC)
    return pack


def find_pack(number: int, user: User) -> EvidencePack | None:
    """Return the pack with this number, if the user may open it.

    The user must have requested it, or be a manager who could request it themselves.
    """
    if not can_make_packs(user):
        return None
    pack = EvidencePack.get_or_none(EvidencePack.id == number)
    return pack if pack and _is_open_to(pack, user) else None


def visible_packs(user: User, limit: int = 200) -> list[EvidencePack]:
    """Return the packs in the user's list, the newest first.

    A manager sees all packs, other users only those that they requested. `find_pack` does not let a
    manager open a listed pack about a personal appeal that they may not read.
    """
    rows = EvidencePack.select()
    if rights.scope_of(user, "evidence.make") != rights.WITH_REASON:
        rows = rows.where(EvidencePack.by == user.login)
    return list(rows.order_by(EvidencePack.id.desc()).limit(limit))


def packs_of_call(call_id: str, user: User) -> list[EvidencePack]:
    """Return the packs of a call that a user may open, the newest first."""
    return _accessible_packs(EvidencePack.call_id == call_id, user)


def packs_of_appeal(number: str, user: User) -> list[EvidencePack]:
    """Return the packs of an appeal that a user may open, the newest first."""
    return _accessible_packs(EvidencePack.appeal == number, user)


def pack_file(settings: Settings, pack: EvidencePack) -> Path | None:
    """Return the file of a pack; None if it is not made yet, or has been removed or changed."""
    file: Path = packs_folder(settings) / pack.file
    if pack.state != "made" or not file.is_file() or files.file_sha256(file) != pack.sha256:
        return None
    return file


def newest_request_time() -> dt.datetime | None:
    """Return when the newest pack still to be made was requested, if any."""
    waiting = EvidencePack.select().where(EvidencePack.state == "asked")
    newest = waiting.order_by(EvidencePack.id.desc()).first()
    return newest.asked_at if newest else None


def make_requested_packs(
    settings: Settings, should_continue: Callable[[], bool] = lambda: True
) -> str:
    """Make the requested packs, remove expired ones, and return a summary as text.

    If `should_continue`, which is called before each pack, returns False, no further pack is made.
    """
    results = []
    for pack in (
        EvidencePack.select().where(EvidencePack.state == "asked").order_by(EvidencePack.id)
    ):
        if not should_continue():
            break
        try:
            state = make_pack(settings, pack).state
        except Exception as error:  # the boundary of a job: the next pack is unrelated
            log.exception("evidence pack %s failed", pack.id)
            _record_failure(pack, error)
        else:
            results += [f"evidence pack {pack.id} made"] if state == "made" else []
    _remove_files(settings)
    is_expired = EvidencePack.made_at < EvidencePack.made_at.db_value(
        clock.now() - RETENTION_PERIOD
    )
    for pack in EvidencePack.select().where(EvidencePack.state == "made", is_expired):
        remove_pack(settings, pack, "jobs")
        results.append(f"evidence pack {pack.id} removed")
    return ", ".join(results)


def make_pack(settings: Settings, pack: EvidencePack) -> EvidencePack:
    """Make a requested pack, sign it and return its row.

    One process at a time makes packs: the command and the jobs may both take the same row. The one
    that comes second returns the row as the first one stored it. If the pack is removed while it is
    being made, for example because its citizen is masked, no file remains. Raises
    signatures.SigningKeyError if the key is missing or is not that of the public key, pdf.PdfError
    if a document cannot be printed, OSError if a file cannot be read or written.
    """
    with locked_folder(packs_folder(settings)):
        current_pack = EvidencePack.get_by_id(pack.id)
        if current_pack.state == "asked":
            _make_file(settings, current_pack)
    stored_pack: EvidencePack = EvidencePack.get_by_id(pack.id)
    return stored_pack


def _make_file(settings: Settings, pack: EvidencePack) -> None:
    """Write the file of a pack and mark the pack as made; the caller holds the folder's lock."""
    subject = contents.load_subject(settings, pack)
    destination = packs_folder(settings)
    name = f"evidence-{pack.id:06}.zip"
    temporary_file = destination / f"{name}.new"
    try:
        _write_pack(settings, pack, subject, temporary_file)
        sha256, size = files.file_sha256(temporary_file), temporary_file.stat().st_size
        with write_transaction():
            state_values = {"state": "made", "made_at": clock.now(), "error": ""}
            file_values = {"file": name, "sha256": sha256, "size": size}
            update = EvidencePack.update(state_values | file_values).where(
                *_existing_pack_conditions(pack)
            )
            if update.execute():
                os.replace(temporary_file, destination / name)
                record_id = pack.appeal or pack.call_id
                audit.record_entry("jobs", "evidence.make", record_id, pack=pack.id, sha256=sha256)
                live.publish_topics(LIVE_TOPIC)
    finally:
        temporary_file.unlink(missing_ok=True)


def _existing_pack_conditions(pack: EvidencePack) -> tuple[Expression, ...]:
    """Return the conditions that select the pack's row, unless the pack has been removed."""
    return EvidencePack.id == pack.id, EvidencePack.state != "gone"


def remove_pack(settings: Settings, pack: EvidencePack, login: str) -> None:
    """Remove a pack's file; its row, with the hash, stays as proof of what was made.

    The audit records the removal by `login`, which is "jobs" if the pack has expired.
    """
    with write_transaction():
        EvidencePack.update(state="gone").where(EvidencePack.id == pack.id).execute()
        audit.record_entry(login, "evidence.remove", pack.appeal or pack.call_id, pack=pack.id)
        live.publish_topics(LIVE_TOPIC)
    _remove_files(settings)


def _remove_files(settings: Settings) -> None:
    """Remove the files of removed packs.

    The web process may only read these files (docs/security.md). Files that it fails to remove are
    removed by `appliance jobs`, which calls this function too.
    """
    existing_names = [file.name for file in packs_folder(settings).glob("*.zip")]
    for pack in EvidencePack.select().where(
        EvidencePack.state == "gone", EvidencePack.file.in_(existing_names)
    ):
        files.remove_file(packs_folder(settings) / pack.file)


def packs_folder(settings: Settings) -> Path:
    """Return the folder of packs, which is next to the database and not in snapshots."""
    return settings.paths.database.parent / "evidence"


def _write_pack(settings: Settings, pack: EvidencePack, subject: PackSubject, file: Path) -> None:
    """Write a pack as a ZIP file: its contents, the manifest of their hashes, the signature.

    The printed documents list the hashes of the other contents, so they are made after these.
    Raises signatures.SigningKeyError if the key is missing or does not fit the public key.
    """
    public_key = newest_public_key(settings)
    hashes: dict[str, str] = {}
    with open(file, "wb", opener=lambda f, flags: os.open(f, flags, 0o640)) as stream:
        with zipfile.ZipFile(stream, "w", allowZip64=False) as archive:
            for name, source in contents.files_of_subject(settings, pack, subject):
                hashes[name] = _add_to_archive(archive, name, source)
            for name, pdf_bytes in printing.printed_documents(
                settings, pack, subject, hashes, public_key
            ):
                hashes[name] = _add_to_archive(archive, name, pdf_bytes)
            hashes[INSTRUCTIONS] = _add_to_archive(
                archive, INSTRUCTIONS, printing.instructions_pdf(settings, pack, public_key)
            )
            hashes[PUBLIC_KEY] = _add_to_archive(archive, PUBLIC_KEY, public_key)
            manifest = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()
            _add_to_archive(archive, MANIFEST, manifest)
            signature = signatures.sign_bytes(manifest, settings.audit.key, "audit.key")
            if not signatures.is_signature_valid(
                manifest, signature, settings.audit.public_key, "audit.public_key"
            ):
                raise signatures.SigningKeyError("audit.public_key is not that of audit.key")
            _add_to_archive(archive, SIGNATURE, signature)
        stream.flush()
        os.fsync(stream.fileno())


def newest_public_key(settings: Settings) -> bytes:
    """Return the public key that belongs to the current signing key, in PEM format.

    Raises signatures.SigningKeyError if it cannot be read.
    """
    return signatures.public_keys(settings.audit.public_key, "audit.public_key")[0]


def _add_to_archive(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> str:
    """Add bytes, or a file's content, to a pack as layout.py requires; return their SHA-256."""
    entry = zipfile.ZipInfo(name, layout.ENTRY_DATE_TIME)
    entry.external_attr = layout.ENTRY_ATTRIBUTES
    if isinstance(content, bytes):
        archive.writestr(entry, content)
        return hashlib.sha256(content).hexdigest()
    digest = hashlib.sha256()
    with content.open("rb") as source, archive.open(entry, "w") as target:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()


def _accessible_packs(condition: object, user: User) -> list[EvidencePack]:
    """Return the packs that meet the condition and that the user may open, the newest first."""
    if not can_make_packs(user):
        return []
    rows = EvidencePack.select().where(condition).order_by(EvidencePack.id.desc())
    return [pack for pack in rows if _is_open_to(pack, user)]


def _is_open_to(pack: EvidencePack, user: User) -> bool:
    """Return True if the user requested the pack, or is a manager who could request it.

    The user who requested it could read all of it then (`request_pack`). A manager could request it
    unless it is about a personal appeal that they may not read. The contents of a personal appeal
    are open only to named readers, or after giving a reason; for others it is "veiled".
    """
    if pack.by == user.login:
        return True
    if rights.scope_of(user, "evidence.make") != rights.WITH_REASON:
        return False
    if pack.appeal:
        appeal = queries.find_appeal(pack.appeal, user)
        return bool(appeal and not appeal.veiled)
    return not any(
        call_appeal.veiled for call_appeal in queries.visible_appeals_of_call(pack.call_id, user)
    )


def _record_failure(pack: EvidencePack, error: Exception) -> None:
    """Store why a pack could not be made, unless the pack has been removed."""
    with write_transaction():
        reason = f"{type(error).__name__}: {error}"[:_MAX_TEXT_CHARACTERS]
        EvidencePack.update(state="failed", error=reason).where(
            *_existing_pack_conditions(pack)
        ).execute()
        live.publish_topics(LIVE_TOPIC)
