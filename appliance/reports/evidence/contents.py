"""What stands in a pack: each file's name, and its bytes or the file that it is copied from."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peewee import Model

from appliance.casework import appeals, call_forms, forms, knowledge
from appliance.casework.appeals import correcting, handling
from appliance.casework.scripts import runs
from appliance.core import audit
from appliance.core.audit import anchors, entries
from appliance.core.settings import Settings
from appliance.messaging.notices import manual
from appliance.models import (
    Appeal,
    ArticleFile,
    AuditAnchor,
    Call,
    CallForm,
    EventRow,
    EvidencePack,
    FormVersion,
    MergedCall,
    Message,
    Recording,
)
from appliance.telephony import calls, recordings

FORMAT = "hotline-evidence/2"  # 2: entries are stored as they are, without dates (layout.py)
LOCALES = {"uz": "uz_Latn", "ru": "ru"}  # of what is printed for people
# Of an entry of the audit: why, and what tells of nobody else. Lists name other people's records.
_TELLS = ("reason", "page", "pack", "sha256", "fields")


@dataclass(frozen=True)
class Sound:
    """A recording in a pack: its name there, and the file with its hash as the box knows it."""

    name: str
    row: Recording
    file: Path

    @property
    def is_there(self) -> bool:
        """Whether there is a file; it can be removed by age, or missing."""
        return self.file.is_file()


@dataclass(frozen=True)
class Matter:
    """What a pack is about, and all that hangs on it."""

    call: Call | None
    appeals: list[Appeal]
    call_forms: list[CallForm]
    sounds: list[Sound]
    runs: list[runs.Run]
    articles: list[knowledge.Shown]
    messages: list[Message]
    accesses: list[Any]  # AuditEntry

    @property
    def names(self) -> list[str]:
        """The call's id and every number: what the audit calls the matter by."""
        call = [self.call.id] if self.call else []
        return [*call, *(a.number for a in self.appeals), *(f.number for f in self.call_forms)]


def matter(settings: Settings, pack: EvidencePack) -> Matter:
    """Everything that a pack is about, as it stands now."""
    call = calls.call(pack.call_id)
    if pack.appeal:
        about = list(Appeal.select().where(Appeal.number == pack.appeal))
    else:
        about = appeals.of_call(pack.call_id)
    registered = CallForm.call_id == pack.call_id
    if pack.appeal:
        registered = CallForm.appeal_number == pack.appeal
    made = list(CallForm.select().where(registered).order_by(CallForm.id))
    tokens = [row.token for row in (*about, *made) if row.token]
    heard = recordings.of_call(call.id) if call else []
    names = [*([call.id] if call else []), *(row.number for row in (*about, *made))]
    return Matter(
        call,
        about,
        made,
        [_sound(settings, number, row) for number, row in enumerate(heard, 1)],
        _runs(call, [*about, *made]),
        knowledge.at_call(call.id if call else "", tokens),
        list(reversed(manual.sent_about(call and call.id, about))),
        _accesses(names),
    )


def files(settings: Settings, pack: EvidencePack, about: Matter) -> Iterator[tuple[str, Any]]:
    """(name, bytes or the file to copy) of all that a pack holds, but for what is printed."""
    yield "pack.json", _json(_pack(settings, pack, about))
    if about.call:
        yield "call/call.json", _json(calls.as_json(about.call))
        yield "call/events.jsonl", _lines(_events(about.call))
    for appeal in about.appeals:
        yield f"appeals/{appeal.number}.json", _json(_appeal(appeal))
    for made in about.call_forms:
        yield f"call-forms/{made.number}.json", _json(_call_form(made))
    for form, number in sorted(_versions(about)):
        row = FormVersion.get(FormVersion.form == form, FormVersion.number == number)
        yield f"forms/{form}-v{number}.json", _json(row.fields)
    if about.runs:
        yield "scripts/followed.json", _json([_run(run) for run in about.runs])
    for version in {run.row.version_id: run.row.version for run in about.runs}.values():
        yield f"scripts/{version.script.code}-v{version.number}.json", _json(version.definition)
    if about.articles:
        yield "articles/opened.json", _json([_opened(one) for one in about.articles])
    yield from _articles(about)
    if about.messages:
        yield "messages.json", _json([_message(one) for one in about.messages])
    yield "audit.jsonl", _lines(_entry(entry) for entry in about.accesses)
    yield "audit-head.json", _json(_head())
    yield from ((sound.name, sound.file) for sound in about.sounds if sound.is_there)


def fields(row: Appeal | CallForm, locale: str) -> list[tuple[str, str]]:
    """(label, value) of every field of a form that holds something, in a language."""
    definition = _definition(row)
    answers = call_forms.fields_of(definition, row, locale)
    return [
        (f.called(locale), answers[f.name]["text"]) for f in definition.fields if f.name in answers
    ]


def _definition(row: Appeal | CallForm) -> forms.Definition:
    if isinstance(row, Appeal):
        return forms.of(forms.APPEAL, row.form_version)
    return forms.of(forms.CALL, row.version)


def _sound(settings: Settings, number: int, row: Recording) -> Sound:
    file = settings.paths.recordings / (row.kept or row.file)
    return Sound(f"recordings/{number:02}{file.suffix}", row, file)


def _runs(call: Call | None, made: list[Appeal | CallForm]) -> list[runs.Run]:
    """The scripts followed in the call, and for what was registered without it; each once."""
    found = runs.of_call(call.id) if call else []
    found += [run for row in made for run in runs.of_form_kept(row)]
    return list({run.row.id: run for run in found}.values())


def _accesses(names: list[str]) -> list[Any]:
    """The entries about the matter, also those of lists in which it was shown, oldest first."""
    found: dict[int, Any] = {}
    for name in names:
        for piece in entries.pieces(entries.Filters(record=name)):
            found |= {entry.id: entry for entry in piece}
    return [found[id] for id in sorted(found)]


def _pack(settings: Settings, pack: EvidencePack, about: Matter) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "number": pack.id,
        "site": settings.web.url,
        "hotline": settings.calls.hotline_number,
        "asked_at": _moment(pack.asked_at),
        "asked_by": pack.by,
        "reason": pack.reason,
        "call": about.call and about.call.id,
        "appeals": [appeal.number for appeal in about.appeals],
        "call_forms": [made.number for made in about.call_forms],
        "recordings": [
            {
                "name": sound.name if sound.is_there else None,
                "file": sound.row.kept or sound.row.file,
                "begun_at": _moment(sound.row.begun_at),
                "seconds": sound.row.seconds,
                "sha256_when_measured": sound.row.sha256,
            }
            for sound in about.sounds
        ],
    }


def _events(call: Call) -> Iterator[dict[str, Any]]:
    """The records of Asterisk's event log that the call was made of."""
    merged = MergedCall.select(MergedCall.linkedid).where(MergedCall.call_id == call.id)
    theirs = (EventRow.linkedid == call.id) | EventRow.linkedid.in_(merged)
    for row in EventRow.select().where(theirs).order_by(EventRow.at, EventRow.hash):
        yield {"at": _moment(row.at), "event": row.event, "hash": row.hash, "fields": row.fields}


def _appeal(appeal: Appeal) -> dict[str, Any]:
    now = handling.of_appeal(appeal)
    return _form(appeal, forms.APPEAL, appeal.form_version) | {
        "gist": appeal.gist,
        "openness": appeal.openness,
        "state": now and now.state,
        "due_on": now and now.due_on.isoformat(),
        "steps": [
            {
                "at": _moment(step.at),
                "by": step.who,
                "action": step.action,
                "text": step.text,
                "detail": step.detail,
            }
            for step in reversed(handling.steps(appeal))
        ],
        "before_corrections": [_wording(one) for one in correcting.wordings(appeal)],
    }


def _call_form(made: CallForm) -> dict[str, Any]:
    return _form(made, forms.CALL, made.version) | {
        "appeal": made.appeal_number or None,
        "before_corrections": [_wording(one) for one in call_forms.wordings(made)],
    }


def _form(row: Appeal | CallForm, form: str, version: int) -> dict[str, Any]:
    definition = _definition(row)
    answers = {
        name: call_forms.fields_of(definition, row, locale) for name, locale in LOCALES.items()
    }
    return {
        "number": row.number,
        "form": form,
        "version": version,
        "call": row.call_id,
        "operator": row.operator.login,
        "received_at": _moment(row.received_at),
        "registered_at": _moment(row.registered_at),
        "fields": {
            field.name: {
                "label": {name: field.called(locale) for name, locale in LOCALES.items()},
                "code": answers["uz"][field.name]["code"],
                "text": {name: answers[name][field.name]["text"] for name in LOCALES},
            }
            for field in definition.fields
            if field.name in answers["uz"]
        },
    }


def _wording(row: Any) -> dict[str, Any]:
    return {"until": _moment(row.until), "replaced_by": row.replaced_by, "values": row.values}


def _versions(about: Matter) -> set[tuple[str, int]]:
    theirs = {(forms.APPEAL, appeal.form_version) for appeal in about.appeals}
    return theirs | {(forms.CALL, made.version) for made in about.call_forms}


def _run(run: runs.Run) -> dict[str, Any]:
    return {
        "script": run.row.version.script.code,
        "version": run.row.version.number,
        "operator": run.row.operator.login,
        "language": run.row.language,
        "begun_at": _moment(run.row.begun_at),
        "ended_at": _moment(run.row.ended_at),
        "result": run.row.result,
        "steps": [
            {"step": taken.step, "at": _moment(at), "answer": taken.answer}
            for taken, at in zip(run.course, run.moments, strict=True)
        ],
    }


def _opened(shown: knowledge.Shown) -> dict[str, Any]:
    return {
        "article": shown.version.article.slug,
        "version": shown.version.number,
        "at": _moment(shown.at),
        "by": shown.who,
    }


def _articles(about: Matter) -> Iterator[tuple[str, bytes]]:
    for version in {one.version.id: one.version for one in about.articles}.values():
        name = f"articles/{version.article.slug}-v{version.number}"
        for language in ("uz", "ru"):
            title, text = (getattr(version, f"{part}_{language}") for part in ("title", "text"))
            if title or text:
                yield f"{name}.{language}.md", f"# {title}\n\n{text}\n".encode()
        for file in ArticleFile.select().where(ArticleFile.id.in_(list(version.files))):
            yield f"{name}/{file.id}.{file.kind}", bytes(file.content)


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "purpose": message.purpose,
        "to": message.recipient,
        "text": message.text,
        "state": message.state,
        "written_at": _moment(message.created_at),
        "sent_at": _moment(message.sent_at),
        "ended_at": _moment(message.ended_at),
        "by": message.gateway,
    }


def _entry(entry: Any) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": _moment(entry.at),
        "who": entry.who,
        "action": entry.action,
        "about": entry.subject or None,  # nothing: of a list with more in it
        "address": entry.address or None,
        "detail": {name: entry.detail[name] for name in _TELLS if name in entry.detail},
        "hash": entry.hash,
    }


def _head() -> dict[str, Any]:
    """Where the audit's chain ended, and the newest head of it that was signed."""
    now, last = audit.head(), AuditAnchor.select().order_by(AuditAnchor.id.desc()).first()
    signed = last and {
        "text": anchors.signed_text(last.at, audit.Head(last.entry, last.hash)).decode(),
        "signature": last.signature,
    }
    return {"head": now and str(now), "signed": signed}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain).encode() + b"\n"


def _lines(rows: Iterator[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    raise TypeError(f"{value!r}" if not isinstance(value, Model) else f"row {value}")


def _moment(moment: dt.datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None
