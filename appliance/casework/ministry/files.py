"""The exchange by signed, numbered files, for a ministry without a link to us.

Ours are hotline-000001.json, theirs ministry-000001.json, each with its signature in NAME.sig. A
file of ours is written by every export until its receipt is here, always with the same bytes;
theirs are taken in the order of their numbers, each once, and ours tell what became of them.
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
from appliance.casework.ministry.answers import DONE, Answered, name_of, remember, storable, take_in
from appliance.core import audit, clock, live, outbox, signatures
from appliance.core.db import writing
from appliance.core.settings import Ministry, Settings
from appliance.models import Message, MinistryPackage

FORMAT = "hotline-ministry/1"
MOST = 500  # appeals in one file
LARGEST = 64 * 1024 * 1024  # bytes of a file that is taken
GATEWAY = "files"
_OWN_KEY = "ministry.own_key"
_OURS = ("out", "skip")  # numbers given out; `skip`: up to here before a restore


class PackageError(ValueError):
    """A file is not taken, and nothing of it was done; the text says why and what to do.

    `code` is for people's lists: "unreadable", "signature", "missing", "other", "no_sense", or
    "none" when there is no file.
    """

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said)
        self.code = code


@dataclass(frozen=True)
class TakenIn:
    """What became of one file of theirs."""

    number: int
    repeated: bool = False
    receipts: int = 0
    events: Counter[str] = field(default_factory=Counter)  # outcome → how many


def export(settings: Settings, folder: Path, by: str) -> list[Path]:
    """Pack what waits and write every file without a receipt into a folder; returns the files.

    Raises signatures.KeyTrouble (nothing is packed then) and OSError.
    """
    ministry = _of(settings)
    signatures.sign(b"", ministry.own_key, _OWN_KEY)
    while _pack(ministry, by):
        pass
    folder.mkdir(parents=True, exist_ok=True)
    without = MinistryPackage.select().where(
        MinistryPackage.way == "out", MinistryPackage.receipt_at.is_null()
    )
    return [
        _write(folder / f"hotline-{package.number:06d}.json", package.body.encode(), ministry)
        for package in without.order_by(MinistryPackage.number)
    ]


def take(settings: Settings, path: Path, by: str, answered: Answered) -> list[TakenIn]:
    """Take a file of theirs, or all in a folder by their numbers. Raises PackageError, KeyTrouble.

    What came before a file that is refused has been taken.
    """
    ministry = _of(settings)
    files = sorted(path.glob("ministry-*.json"), key=_numbered) if path.is_dir() else [path]
    if not files:
        raise PackageError("none", f"{path}: no file ministry-NUMBER.json")
    return [_take(settings, ministry, file, by, answered) for file in files]


def packages(limit: int = 20) -> list[MinistryPackage]:
    """The files to and fro, newest first."""
    return list(MinistryPackage.select().order_by(MinistryPackage.id.desc()).limit(limit))


def _pack(ministry: Ministry, by: str) -> bool:
    """Make one file of what waits; whether there was anything."""
    with writing():
        messages = outbox.claim_waiting(queue.CHANNEL, MOST)
        theirs = list(_theirs_without_receipt())
        newest = MinistryPackage.select().where(MinistryPackage.way.in_(_OURS))
        before = newest.order_by(MinistryPackage.number.desc(), MinistryPackage.way.desc()).first()
        restored = bool(before and before.way == "skip")
        # Theirs that brought nothing but receipts have to wait: else there would be no end.
        if not messages and not restored and not any(package.body for package in theirs):
            return False
        number = before.number + 1 if before else 1
        entries = _entries(ministry, messages, number)
        receipts = [
            {"package": package.number, "undone": json.loads(package.body or "[]")}
            for package in theirs
        ]
        if entries or receipts or restored:
            content = {"appeals": entries, "receipts": receipts, "expects": _last("in") + 1}
            body = _body(number, **content | ({"restored": True} if restored else {}))
            _remember("out", number, body, keep=body.decode())
            _theirs_without_receipt(receipt_at=clock.now(), body="").execute()
            counts = {"appeals": len(entries), "receipts": len(receipts)}
            audit.record(by, "ministry.export", str(number), **counts)
        live.publish("appeals", "outbox")
    return True


def _entries(ministry: Ministry, messages: list[Message], number: int) -> list[dict[str, Any]]:
    """Claimed messages as a file holds them; what cannot go is refused."""
    entries = []
    for message in messages:
        if queue.is_overtaken(message):
            outbox.delivered(message)
            continue
        try:
            document = mapping.document(ministry, message.payload)
        except mapping.Unmapped as missing:
            queue.refused(message, "unmapped", str(missing))
            continue
        entries.append(
            {
                "number": message.cause,
                "version": message.payload["version"],
                "change": queue.is_known(message),
                "appeal": document,
            }
        )
        outbox.sent(message, GATEWAY, str(number))
    return entries


def _take(
    settings: Settings, ministry: Ministry, file: Path, by: str, answered: Answered
) -> TakenIn:
    """Take one file; that it was refused stays on the page until it or another one is taken."""
    try:
        taken = _take_in(settings, ministry, file, by, answered)
    except PackageError as error:
        link.failed(error.code, file.name, link.FILES)
        raise
    if not taken.repeated or link.state(link.FILES).trouble_text == file.name:
        link.answered(link.FILES)
    return taken


def _take_in(
    settings: Settings, ministry: Ministry, file: Path, by: str, answered: Answered
) -> TakenIn:
    body = _signed(file, ministry)
    content = _read(file, body)
    number, digest = content["number"], hashlib.sha256(body).hexdigest()
    with writing():
        known = MinistryPackage.get_or_none(
            MinistryPackage.way == "in", MinistryPackage.number == number
        )
        if known and known.sha256 == digest:
            return TakenIn(number, repeated=True)
        if known:
            reason = f"{file}: another file with the number {number} was taken before"
            raise PackageError("other", reason)
        if number != (due := _last("in") + 1):
            raise PackageError("missing", f"{file}: number {due} is missing: take it first")
        undone: list[dict[str, Any]] = []
        receipts = sum(_receipt(receipt, number, undone) for receipt in content["receipts"])
        events = Counter(one["outcome"] for one in undone)
        for event in content["events"]:
            events[outcome := take_in(settings, event, answered)] += 1
            if outcome not in DONE:
                undone.append({**_about(event), "outcome": outcome})
        brought = content["events"] or undone
        _remember("in", number, body, keep=json.dumps(undone) if brought else "")
        audit.record(by, "ministry.import", str(number), receipts=receipts, events=dict(events))
        live.publish("appeals", "outbox")
    return TakenIn(number, receipts=receipts, events=events)


def _receipt(receipt: dict[str, Any], told_by: int, undone: list[dict[str, Any]]) -> bool:
    """What the ministry says of a file of ours; whether it is one, and said for the first time.

    A refusal of what the file did not hold is listed and added to `undone`; what it held of that
    appeal is not on register then.
    """
    package = MinistryPackage.get_or_none(
        MinistryPackage.way == "out", MinistryPackage.number == receipt["package"]
    )
    if package and package.receipt_at:
        return False
    refused = {
        (storable(one["number"]), one["version"]): storable(one["reason"])
        for one in receipt["refused"]
    }
    went = Message.select().where(
        Message.channel == queue.CHANNEL,
        Message.gateway == GATEWAY,
        Message.foreign_id == str(receipt["package"]),
    )
    held = [(message, message.payload.get("version")) for message in went] if package else []
    strange = dict(refused)
    for message, version in held:
        strange.pop((message.cause, version), None)
    unclear = {number: reason for (number, _), reason in strange.items()}
    for message, version in held:
        reason = refused.get((message.cause, version), unclear.get(message.cause))
        if reason is not None:
            queue.decided(message, "declined", reason)
        elif message.state == "sent":
            outbox.delivered(message)
    for (number, version), reason in strange.items():
        name = f"ministry-{told_by:06d}: {len(undone) + 1}"
        remember(name, number, "refused", "not_sent", reason)
        undone.append({"number": number, "version": version, "outcome": "not_sent"})
    if package:
        package.receipt_at, package.body = clock.now(), ""
        package.save()
    return bool(package)


def _about(event: object) -> dict[str, str]:
    """An event as a receipt names it: by its id, or a hash of what has none."""
    number = event.get("number") if isinstance(event, dict) else ""
    return {"id": name_of(event), "number": storable(number) if isinstance(number, str) else ""}


def _theirs_without_receipt(**columns: object) -> Any:
    """Their files that none of ours has a receipt for; with columns, the change of all of them."""
    query = MinistryPackage.update(columns) if columns else MinistryPackage.select()
    theirs = query.where(MinistryPackage.way == "in", MinistryPackage.receipt_at.is_null())
    return theirs if columns else theirs.order_by(MinistryPackage.number)


def _signed(file: Path, ministry: Ministry) -> bytes:
    """The bytes of a file that the ministry has signed."""
    try:
        if file.stat().st_size > LARGEST:
            raise PackageError("unreadable", f"{file}: too large")
        body = file.read_bytes()
        signature = file.with_name(f"{file.name}.sig").read_bytes()
    except OSError as error:
        raise PackageError("unreadable", f"{error.filename}: {error.strerror}") from error
    if not signatures.is_signed(body, signature, ministry.their_key, "ministry.their_key"):
        reason = f"{file}: the signature is not the ministry's: get the file again"
        raise PackageError("signature", reason)
    return body


def _read(file: Path, body: bytes) -> dict[str, Any]:
    """What a file says: number, receipts, events."""
    try:
        content = json.loads(body)
        if (content["format"], content["from"]) != (FORMAT, "ministry"):
            raise ValueError("not a file of the ministry's")
        number, receipts = content["number"], content.get("receipts", [])
        if not isinstance(number, int) or not 0 < number < 2**31:
            raise ValueError("number")
        for receipt in receipts:
            _check(receipt["package"], int)
            for refused in receipt.setdefault("refused", []):
                _check(refused["number"], str)
                _check(refused["version"], int)
                _check(refused.setdefault("reason", ""), str)
        return {"number": number, "receipts": receipts, "events": list(content.get("events", []))}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PackageError("no_sense", f"{file}: not as described: {error!r}") from error


def _check(value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"{value!r} is no {kind.__name__}")


def _body(number: int, **what: object) -> bytes:
    made_at = clock.now().isoformat(timespec="seconds")
    content = {"format": FORMAT, "from": "hotline", "number": number, "made_at": made_at} | what
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8")


def _write(file: Path, body: bytes, ministry: Ministry) -> Path:
    """Write a file and its signature, for its owner only; a half-written one never has the name."""
    signature = signatures.sign(body, ministry.own_key, _OWN_KEY)
    for path, content in ((file.with_name(f"{file.name}.sig"), signature), (file, body)):
        half = path.with_name(f"{path.name}.part")
        with half.open("wb") as out:
            half.chmod(0o600)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        half.replace(path)
    return file


def _numbered(file: Path) -> tuple[float, str]:
    """By the number in a file's name, however it is written; one without is the last."""
    found = re.match(r"ministry-(\d+)", file.name)
    return float(found[1]) if found else float("inf"), file.name


def _last(way: str) -> int:
    newest = MinistryPackage.select(fn.MAX(MinistryPackage.number))
    return newest.where(MinistryPackage.way == way).scalar() or 0


def _remember(way: str, number: int, body: bytes, keep: str = "") -> None:
    digest = hashlib.sha256(body).hexdigest()
    MinistryPackage.create(way=way, number=number, sha256=digest, at=clock.now(), body=keep)


def _of(settings: Settings) -> Ministry:
    if not settings.ministry:
        raise signatures.KeyTrouble("the settings have no [ministry] part")
    return settings.ministry
