"""The exchange by signed, numbered files, for a ministry without a network link.

Our own files are named hotline-000001.json, the ministry's ministry-000001.json, each with its
signature in NAME.sig. An export writes all our files whose receipt has not arrived; a file has the
same bytes in each export. The ministry's files are imported in the order of their numbers, each
once. The next file in the other direction contains the receipt of a file, which lists what of it
was refused or could not be processed.
"""

import hashlib
import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peewee import fn

from appliance.casework.ministry import link, mapping, queue
from appliance.casework.ministry.events import (
    FINAL_OUTCOMES,
    event_identity,
    process_event,
    record_event,
    storable_text,
)
from appliance.core import audit, clock, live, outbox, signatures
from appliance.core.db import write_transaction
from appliance.core.files import replacement_file
from appliance.core.refusals import Refused
from appliance.core.settings import Ministry, Settings
from appliance.models import Message, MinistryPackage

PACKAGE_FORMAT = "hotline-ministry/1"
MAX_APPEALS_PER_PACKAGE = 500  # appeals in one file
MAX_PACKAGE_BYTES = 64 * 1024 * 1024  # maximum size of an imported file
FILES_GATEWAY = "files"
_OWN_KEY_SETTING = "ministry.own_key"
# "skip" marks the last number that was used before the database was restored from a snapshot
_OUTGOING_WAYS = ("out", "skip")


@dataclass(frozen=True)
class ImportResult:
    """The result of importing one file of the ministry; a repeated file is not applied again."""

    number: int  # of the file
    repeated: bool = False  # this very file was imported before
    receipts: int = 0  # number of our own files whose first receipt was in it
    events: Counter[str] = field(default_factory=Counter)  # outcome → number of events


def export_packages(settings: Settings, folder: Path, actor: str) -> list[Path]:
    """Pack waiting messages, and write every file without a receipt into a folder.

    Returns the paths of the files; `actor` is recorded in the audit. Raises
    signatures.SigningKeyError if our key cannot be used (nothing is packed then), and OSError if a
    file cannot be written.
    """
    ministry = _ministry_settings(settings)
    signatures.sign_bytes(b"", ministry.own_key, _OWN_KEY_SETTING)  # only to check the key
    while _create_package(ministry, actor):
        pass
    folder.mkdir(parents=True, exist_ok=True)
    unconfirmed = MinistryPackage.select().where(
        MinistryPackage.way == "out", MinistryPackage.receipt_at.is_null()
    )
    return [
        _write_signed_file(
            folder / f"hotline-{package.number:06d}.json", package.body.encode(), ministry
        )
        for package in unconfirmed.order_by(MinistryPackage.number)
    ]


def import_packages(settings: Settings, path: Path, actor: str) -> list[ImportResult]:
    """Import a file of the ministry, or all its files in a folder in the order of their numbers.

    Returns a result for each file; `actor` is recorded in the audit. Raises Refused with the code
    "none" for a folder without files, or with the code of the first file that is refused (files
    before it have been imported); SigningKeyError if the ministry's key cannot be used.
    """
    ministry = _ministry_settings(settings)
    files = sorted(path.glob("ministry-*.json"), key=_file_sort_key) if path.is_dir() else [path]
    if not files:
        raise Refused("none", f"{path}: no file ministry-NUMBER.json")
    return [_import_package(settings, ministry, file, actor) for file in files]


def list_packages(limit: int = 20) -> list[MinistryPackage]:
    """Return the last `limit` files that were created or imported, the newest first."""
    return list(MinistryPackage.select().order_by(MinistryPackage.id.desc()).limit(limit))


def _create_package(ministry: Ministry, actor: str) -> bool:
    """Create and store our next file from waiting messages and from receipts not yet sent.

    Returns False if there is nothing to send; receipts for files that had only receipts are not
    sent alone. Returns True, but creates no file, if there are only messages, and each of them
    turns out to be superseded or refused: more may be waiting.
    """
    with write_transaction():
        messages = outbox.claim_pending(queue.CHANNEL, MAX_APPEALS_PER_PACKAGE)
        imported = list(_unconfirmed_imports())
        outgoing = MinistryPackage.select().where(MinistryPackage.way.in_(_OUTGOING_WAYS))
        previous = outgoing.order_by(
            MinistryPackage.number.desc(), MinistryPackage.way.desc()
        ).first()
        # After a restore, the next file is created in any case, and says so: it skips numbers.
        is_restored = bool(previous and previous.way == "skip")
        # Imports with nothing but receipts do not cause a file: otherwise receipts would never end.
        if not messages and not is_restored and not any(package.body for package in imported):
            return False
        number = previous.number + 1 if previous else 1
        entries = _appeal_entries(ministry, messages, number)
        receipts = [
            {"package": package.number, "undone": json.loads(package.body or "[]")}
            for package in imported
        ]
        if entries or receipts or is_restored:
            content = {"appeals": entries, "receipts": receipts, "expects": _last_number("in") + 1}
            body = _package_body(number, **content | ({"restored": True} if is_restored else {}))
            _record_package("out", number, body, stored_body=body.decode())
            _unconfirmed_imports(receipt_at=clock.now(), body="").execute()
            counts = {"appeals": len(entries), "receipts": len(receipts)}
            audit.record_entry(actor, "ministry.export", str(number), **counts)
        live.publish_topics("appeals", "outbox")
    return True


def _appeal_entries(
    ministry: Ministry, messages: list[Message], number: int
) -> list[dict[str, Any]]:
    """Return claimed messages as entries of the file `number`, and mark them as sent.

    A message is left out if a later one about its appeal was sent (it is marked as delivered), or
    if it has a code that the settings do not map (it is marked as refused).
    """
    entries = []
    for message in messages:
        if queue.is_superseded(message):
            outbox.mark_delivered(message)
            continue
        try:
            document = mapping.ministry_document(ministry, message.payload)
        except mapping.UnmappedCodeError as error:
            queue.record_refusal(message, "unmapped", str(error))
            continue
        entries.append(
            {
                "number": message.cause,
                "version": message.payload["version"],
                "change": queue.is_appeal_known(message),
                "appeal": document,
            }
        )
        outbox.mark_sent(message, FILES_GATEWAY, str(number))
    return entries


def _import_package(settings: Settings, ministry: Ministry, file: Path, actor: str) -> ImportResult:
    """Import one file, and store a refusal, or that the link works, for the page of the link.

    A refusal is shown there until the refused file, or one that is new, is imported.
    """
    try:
        result = _apply_package(settings, ministry, file, actor)
    except Refused as error:
        link.record_failure(error.code, file.name, link.FILES)
        raise
    if not result.repeated or link.link_state(link.FILES).trouble_text == file.name:
        link.record_success(link.FILES)
    return result


def _apply_package(settings: Settings, ministry: Ministry, file: Path, actor: str) -> ImportResult:
    """Check one file and apply its receipts and events, unless this very file was applied before.

    What cannot be processed is stored with the file: our next file reports it to the ministry.
    Raises Refused "other" if another file had its number, "missing" if an earlier file is missing,
    and the codes of _read_signed_file() and _parse_package().
    """
    body = _read_signed_file(file, ministry)
    content = _parse_package(file, body)
    number, digest = content["number"], hashlib.sha256(body).hexdigest()
    with write_transaction():
        existing = MinistryPackage.get_or_none(
            MinistryPackage.way == "in", MinistryPackage.number == number
        )
        if existing and existing.sha256 == digest:
            return ImportResult(number, repeated=True)
        if existing:
            reason = f"{file}: another file with the number {number} was taken before"
            raise Refused("other", reason)
        if number != (expected := _last_number("in") + 1):
            raise Refused("missing", f"{file}: number {expected} is missing: take it first")
        unprocessed: list[dict[str, Any]] = []
        receipts = sum(
            _apply_receipt(receipt, number, unprocessed) for receipt in content["receipts"]
        )
        # a refusal of something that we did not send is among `unprocessed`: it counts as an event
        events = Counter(entry["outcome"] for entry in unprocessed)
        for event in content["events"]:
            events[outcome := process_event(settings, event)] += 1
            if outcome not in FINAL_OUTCOMES:
                unprocessed.append({**_event_reference(event), "outcome": outcome})
        # "" is stored for a file that had only receipts: no file is created just for its receipt.
        # "[]" is stored if it had events and all were processed.
        has_content = content["events"] or unprocessed
        _record_package(
            "in", number, body, stored_body=json.dumps(unprocessed) if has_content else ""
        )
        audit.record_entry(
            actor, "ministry.import", str(number), receipts=receipts, events=dict(events)
        )
        live.publish_topics("appeals", "outbox")
    return ImportResult(number, receipts=receipts, events=events)


def _apply_receipt(
    receipt: dict[str, Any], package_number: int, unprocessed: list[dict[str, Any]]
) -> bool:
    """Apply a receipt for one of our files. Returns True if it is the first for an existing file.

    The file's messages become delivered, or refused if the receipt refuses them. A receipt may
    refuse a version of an appeal that our file did not contain. This is then listed as an event,
    and added to the list `unprocessed`; the versions of that appeal that our file did contain count
    as refused, too. `package_number` is that of the ministry's file with the receipt.
    """
    package = MinistryPackage.get_or_none(
        MinistryPackage.way == "out", MinistryPackage.number == receipt["package"]
    )
    if package and package.receipt_at:
        return False
    refusals = {
        (storable_text(refusal["number"]), refusal["version"]): storable_text(refusal["reason"])
        for refusal in receipt["refused"]
    }
    messages = Message.select().where(
        Message.channel == queue.CHANNEL,
        Message.gateway == FILES_GATEWAY,
        Message.foreign_id == str(receipt["package"]),
    )
    contents = (
        [(message, message.payload.get("version")) for message in messages] if package else []
    )
    unmatched = dict(refusals)
    for message, version in contents:
        unmatched.pop((message.cause, version), None)
    unmatched_reasons = {number: reason for (number, _), reason in unmatched.items()}
    for message, version in contents:
        reason = refusals.get((message.cause, version), unmatched_reasons.get(message.cause))
        if reason is not None:
            queue.record_decision(message, "declined", reason)
        elif message.state == "sent":
            outbox.mark_delivered(message)
    for (number, version), reason in unmatched.items():
        identity = f"ministry-{package_number:06d}: {len(unprocessed) + 1}"
        record_event(identity, number, "refused", "not_sent", reason)
        unprocessed.append({"number": number, "version": version, "outcome": "not_sent"})
    if package:
        package.receipt_at, package.body = clock.now(), ""
        package.save()
    return bool(package)


def _event_reference(event: object) -> dict[str, str]:
    """Return {"id": …, "number": …}: an event's identity and its appeal's number, for a receipt."""
    number = event.get("number") if isinstance(event, dict) else ""
    return {
        "id": event_identity(event),
        "number": storable_text(number) if isinstance(number, str) else "",
    }


def _unconfirmed_imports(**columns: object) -> Any:
    """Return the query of imported files whose receipt has not been sent, in order of number.

    If columns are given, return instead the query that sets these columns of the files.
    """
    query = MinistryPackage.update(columns) if columns else MinistryPackage.select()
    unconfirmed = query.where(MinistryPackage.way == "in", MinistryPackage.receipt_at.is_null())
    return unconfirmed if columns else unconfirmed.order_by(MinistryPackage.number)


def _read_signed_file(file: Path, ministry: Ministry) -> bytes:
    """Return the bytes of a file.

    Raises Refused "unreadable" if it cannot be read or is too large, "signature" if the ministry's
    signature is not valid.
    """
    try:
        if file.stat().st_size > MAX_PACKAGE_BYTES:
            raise Refused("unreadable", f"{file}: too large")
        body = file.read_bytes()
        signature = file.with_name(f"{file.name}.sig").read_bytes()
    except OSError as error:
        raise Refused("unreadable", f"{error.filename}: {error.strerror}") from error
    if not signatures.is_signature_valid(body, signature, ministry.their_key, "ministry.their_key"):
        reason = f"{file}: the signature is not the ministry's: get the file again"
        raise Refused("signature", reason)
    return body


def _parse_package(file: Path, body: bytes) -> dict[str, Any]:
    """Return the number, receipts and events of a file with these bytes, by these names.

    The content of the events is not checked. Raises Refused "no_sense" if the file is invalid.
    """
    try:
        content = json.loads(body)
        if (content["format"], content["from"]) != (PACKAGE_FORMAT, "ministry"):
            raise ValueError("not a file of the ministry's")
        number, receipts = content["number"], content.get("receipts", [])
        if not isinstance(number, int) or not 0 < number < 2**31:
            raise ValueError("number")
        for receipt in receipts:
            _check_type(receipt["package"], int)
            for refusal in receipt.setdefault("refused", []):
                _check_type(refusal["number"], str)
                _check_type(refusal["version"], int)
                _check_type(refusal.setdefault("reason", ""), str)
        return {"number": number, "receipts": receipts, "events": list(content.get("events", []))}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused("no_sense", f"{file}: not as described: {error!r}") from error


def _check_type(value: object, kind: type) -> None:
    """Raise ValueError if the value is not of the type `kind`."""
    if not isinstance(value, kind):
        raise ValueError(f"{value!r} is no {kind.__name__}")


def _package_body(number: int, **entries: object) -> bytes:
    """Return the bytes of our file with this number; `entries` are its further fields, in JSON."""
    made_at = clock.now().isoformat(timespec="seconds")
    content = {
        "format": PACKAGE_FORMAT,
        "from": "hotline",
        "number": number,
        "made_at": made_at,
    } | entries
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8")


def _write_signed_file(file: Path, body: bytes, ministry: Ministry) -> Path:
    """Write a file and its signature (FILE.sig), readable by the owner only; returns the file.

    The signature is complete before the file.
    """
    signature = signatures.sign_bytes(body, ministry.own_key, _OWN_KEY_SETTING)
    for path, content in ((file.with_name(f"{file.name}.sig"), signature), (file, body)):
        with replacement_file(path) as new_file, new_file.open("wb") as stream:
            new_file.chmod(0o600)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    return file


def _file_sort_key(file: Path) -> tuple[float, str]:
    """Return the sort key: the number in a file's name; files without a number are last."""
    match = re.match(r"ministry-(\d+)", file.name)
    return float(match[1]) if match else float("inf"), file.name


def _last_number(way: str) -> int:
    """Return the highest number of our own files ("out") or imported ones ("in"); 0 without any."""
    newest = MinistryPackage.select(fn.MAX(MinistryPackage.number))
    return newest.where(MinistryPackage.way == way).scalar() or 0


def _record_package(way: str, number: int, body: bytes, stored_body: str = "") -> None:
    """Store the number and a hash of a file that was created ("out") or imported ("in").

    Each `way` has its own series of numbers. `body` is the file's content, `stored_body` what is
    needed of it later. Of our own file that is the whole text, which is exported again until its
    receipt arrives. Of an imported file it is a JSON list of the events that could not be
    processed, for our receipt; "" if the file had only receipts, so that no file has to be created
    to confirm it.
    """
    digest = hashlib.sha256(body).hexdigest()
    MinistryPackage.create(way=way, number=number, sha256=digest, at=clock.now(), body=stored_body)


def _ministry_settings(settings: Settings) -> Ministry:
    """Return the [ministry] settings. Raises signatures.SigningKeyError without them."""
    if not settings.ministry:
        raise signatures.SigningKeyError("the settings have no [ministry] part")
    return settings.ministry
