"""The contents of a pack: each file's name, and its bytes or the file that is copied."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peewee import Model

from appliance.casework import call_forms, forms
from appliance.casework.appeals import correcting, handling, queries
from appliance.casework.knowledge import openings
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

PACK_FORMAT = "hotline-evidence/2"  # 2: entries are stored uncompressed, without dates (layout.py)
LOCALES = {"uz": "uz_Latn", "ru": "ru"}  # of the printed documents, by the code in their names
# Details of an audit entry that a pack discloses; others may list the records of other people.
_DISCLOSED_DETAILS = ("reason", "page", "pack", "sha256", "fields")


@dataclass(frozen=True)
class PackRecording:
    """A recording in a pack: its name there, its row with the stored hash, and its file."""

    name: str
    row: Recording
    file: Path

    @property
    def file_exists(self) -> bool:
        """True if the file exists; it may have been lost, or removed because of its age."""
        return self.file.is_file()


@dataclass(frozen=True)
class PackSubject:
    """What a pack is about: a call or one appeal, and everything linked to it."""

    call: Call | None  # missing for an appeal without a call
    appeals: list[Appeal]
    call_forms: list[CallForm]
    pack_recordings: list[PackRecording]
    runs: list[runs.Run]  # of call scripts
    articles: list[openings.OpenedArticle]
    messages: list[Message]  # short messages, oldest first
    accesses: list[Any]  # AuditEntry, oldest first

    @property
    def audit_names(self) -> list[str]:
        """The call's id and every record number, by which audit entries refer to the subject."""
        call_ids = [self.call.id] if self.call else []
        return [
            *call_ids,
            *(appeal.number for appeal in self.appeals),
            *(call_form.number for call_form in self.call_forms),
        ]


def load_subject(settings: Settings, pack: EvidencePack) -> PackSubject:
    """Load everything about the subject of a pack, in its present state.

    If the pack is about one appeal, other appeals and call forms of its call are left out.
    """
    call = calls.find_call(pack.call_id)
    if pack.appeal:
        subject_appeals = list(Appeal.select().where(Appeal.number == pack.appeal))
    else:
        subject_appeals = queries.appeals_of_call(pack.call_id)
    form_condition = CallForm.call_id == pack.call_id
    if pack.appeal:
        form_condition = CallForm.appeal_number == pack.appeal
    forms_of_subject = list(CallForm.select().where(form_condition).order_by(CallForm.id))
    # An operator may have opened articles for a form without a call; these views have its token.
    tokens = [row.token for row in (*subject_appeals, *forms_of_subject) if row.token]
    call_recordings = recordings.files_of_call(call.id) if call else []
    names = [
        *([call.id] if call else []),
        *(row.number for row in (*subject_appeals, *forms_of_subject)),
    ]
    return PackSubject(
        call,
        subject_appeals,
        forms_of_subject,
        [_pack_recording(settings, number, row) for number, row in enumerate(call_recordings, 1)],
        _script_runs(call, [*subject_appeals, *forms_of_subject]),
        openings.articles_opened_at_call(call.id if call else "", tokens),
        list(reversed(manual.messages_about(call and call.id, subject_appeals))),
        _audit_entries(names),
    )


def files_of_subject(
    settings: Settings, pack: EvidencePack, subject: PackSubject
) -> Iterator[tuple[str, bytes | Path]]:
    """Yield (name, bytes or the file to copy) of all files of a pack except printed documents."""
    yield "pack.json", _json_bytes(_pack_as_json(settings, pack, subject))
    if subject.call:
        yield "call/call.json", _json_bytes(calls.call_as_json(subject.call))
        yield "call/events.jsonl", _json_lines(_call_events(subject.call))
    for appeal in subject.appeals:
        yield f"appeals/{appeal.number}.json", _json_bytes(_appeal_as_json(appeal))
    for call_form in subject.call_forms:
        yield f"call-forms/{call_form.number}.json", _json_bytes(_call_form_as_json(call_form))
    for form, number in sorted(_form_versions(subject)):
        row = FormVersion.get(FormVersion.form == form, FormVersion.number == number)
        yield f"forms/{form}-v{number}.json", _json_bytes(row.fields)
    if subject.runs:
        yield "scripts/followed.json", _json_bytes([_run_as_json(run) for run in subject.runs])
    for version in {run.row.version_id: run.row.version for run in subject.runs}.values():
        yield (
            f"scripts/{version.script.code}-v{version.number}.json",
            _json_bytes(version.definition),
        )
    if subject.articles:
        yield (
            "articles/opened.json",
            _json_bytes([_article_view_as_json(article) for article in subject.articles]),
        )
    yield from _article_files(subject)
    if subject.messages:
        yield (
            "messages.json",
            _json_bytes([_message_as_json(message) for message in subject.messages]),
        )
    yield "audit.jsonl", _json_lines(_entry_as_json(entry) for entry in subject.accesses)
    yield "audit-head.json", _json_bytes(_audit_head_as_json())
    yield from (
        (recording.name, recording.file)
        for recording in subject.pack_recordings
        if recording.file_exists
    )


def filled_fields(row: Appeal | CallForm, locale: str) -> list[tuple[str, str]]:
    """Return (label, value) of every filled field of an appeal or a call form, in a language."""
    definition = _form_definition(row)
    answers = call_forms.field_values(definition, row, locale)
    return [
        (field.localized_label(locale), answers[field.name]["text"])
        for field in definition.fields
        if field.name in answers
    ]


def _form_definition(row: Appeal | CallForm) -> forms.Definition:
    """Return the fields of the form, in the version in which the record was registered."""
    if isinstance(row, Appeal):
        return forms.numbered_definition(forms.APPEAL_FORM, row.form_version)
    return forms.numbered_definition(forms.CALL_FORM, row.version)


def _pack_recording(settings: Settings, number: int, row: Recording) -> PackRecording:
    """Return a recording whose name in the pack is its number, from 1, in the order of the call."""
    # its final name, or the name that Asterisk gave it; the file of a deleted recording is missing
    file = settings.paths.recordings / (row.kept or row.file)
    return PackRecording(f"recordings/{number:02}{file.suffix}", row, file)


def _script_runs(call: Call | None, records: list[Appeal | CallForm]) -> list[runs.Run]:
    """Return the scripts followed in the call or while registering the records, each once."""
    script_runs = runs.runs_of_call(call.id) if call else []
    script_runs += [run for row in records for run in runs.runs_of_registered_form(row)]
    return list({run.row.id: run for run in script_runs}.values())


def _audit_entries(names: list[str]) -> list[Any]:
    """Return the audit entries about the records `names` or lists with them, oldest first."""
    entry_of_id: dict[int, Any] = {}
    for name in names:
        for batch in entries.entry_batches(entries.EntryFilters(record=name)):
            entry_of_id |= {entry.id: entry for entry in batch}
    return [entry_of_id[id] for id in sorted(entry_of_id)]


def _pack_as_json(settings: Settings, pack: EvidencePack, subject: PackSubject) -> dict[str, Any]:
    """Return the pack's description; a recording whose file is missing has the name None."""
    return {
        "format": PACK_FORMAT,
        "number": pack.id,
        "site": settings.web.url,
        "hotline": settings.calls.hotline_number,
        "asked_at": _iso_datetime(pack.asked_at),
        "asked_by": pack.by,
        "reason": pack.reason,
        "call": subject.call and subject.call.id,
        "appeals": [appeal.number for appeal in subject.appeals],
        "call_forms": [call_form.number for call_form in subject.call_forms],
        "recordings": [
            {
                "name": recording.name if recording.file_exists else None,
                "file": recording.row.kept or recording.row.file,
                "begun_at": _iso_datetime(recording.row.begun_at),
                "seconds": recording.row.seconds,
                "sha256_when_measured": recording.row.sha256,
            }
            for recording in subject.pack_recordings
        ],
    }


def _call_events(call: Call) -> Iterator[dict[str, Any]]:
    """Yield the records of Asterisk's event log about the call and those merged into it."""
    merged = MergedCall.select(MergedCall.linkedid).where(MergedCall.call_id == call.id)
    is_of_call = (EventRow.linkedid == call.id) | EventRow.linkedid.in_(merged)
    for row in EventRow.select().where(is_of_call).order_by(EventRow.at, EventRow.hash):
        yield {
            "at": _iso_datetime(row.at),
            "event": row.event,
            "hash": row.hash,
            "fields": row.fields,
        }


def _appeal_as_json(appeal: Appeal) -> dict[str, Any]:
    """Return an appeal with its text, state, steps of handling, and values before corrections."""
    current_state = handling.handling_of_appeal(appeal)
    return _form_as_json(appeal, forms.APPEAL_FORM, appeal.form_version) | {
        "gist": appeal.gist,
        "openness": appeal.openness,
        "state": current_state and current_state.state,
        "due_on": current_state and current_state.due_on.isoformat(),
        "steps": [
            {
                "at": _iso_datetime(step.at),
                "by": step.who,
                "action": step.action,
                "text": step.text,
                "detail": step.detail,
            }
            for step in reversed(handling.list_steps(appeal))
        ],
        "before_corrections": [
            _previous_values_as_json(row) for row in correcting.list_previous_values(appeal)
        ],
    }


def _call_form_as_json(call_form: CallForm) -> dict[str, Any]:
    """Return a call form with the number of its appeal and its values before corrections."""
    return _form_as_json(call_form, forms.CALL_FORM, call_form.version) | {
        "appeal": call_form.appeal_number or None,
        "before_corrections": [
            _previous_values_as_json(row) for row in call_forms.list_previous_form_values(call_form)
        ],
    }


def _form_as_json(row: Appeal | CallForm, form: str, version: int) -> dict[str, Any]:
    """Return what appeals and call forms have in common: texts in all LOCALES, codes only once."""
    definition = _form_definition(row)
    answers = {
        name: call_forms.field_values(definition, row, locale) for name, locale in LOCALES.items()
    }
    return {
        "number": row.number,
        "form": form,
        "version": version,
        "call": row.call_id,
        "operator": row.operator.login,
        "received_at": _iso_datetime(row.received_at),
        "registered_at": _iso_datetime(row.registered_at),
        "fields": {
            field.name: {
                "label": {name: field.localized_label(locale) for name, locale in LOCALES.items()},
                "code": answers["uz"][field.name]["code"],
                "text": {name: answers[name][field.name]["text"] for name in LOCALES},
            }
            for field in definition.fields
            if field.name in answers["uz"]
        },
    }


def _previous_values_as_json(row: Any) -> dict[str, Any]:
    """Return a record's values before a correction, and when and by whom they were replaced."""
    return {"until": _iso_datetime(row.until), "replaced_by": row.replaced_by, "values": row.values}


def _form_versions(subject: PackSubject) -> set[tuple[str, int]]:
    """Return (form, version) of the definitions with which the records were registered."""
    appeal_versions = {(forms.APPEAL_FORM, appeal.form_version) for appeal in subject.appeals}
    return appeal_versions | {
        (forms.CALL_FORM, call_form.version) for call_form in subject.call_forms
    }


def _run_as_json(run: runs.Run) -> dict[str, Any]:
    """Return which call script an operator followed, and the steps with the answers."""
    return {
        "script": run.row.version.script.code,
        "version": run.row.version.number,
        "operator": run.row.operator.login,
        "language": run.row.language,
        "begun_at": _iso_datetime(run.row.begun_at),
        "ended_at": _iso_datetime(run.row.ended_at),
        "result": run.row.result,
        "steps": [
            {"step": step.step, "at": _iso_datetime(moment), "answer": step.answer}
            for step, moment in zip(run.course, run.step_times, strict=True)
        ],
    }


def _article_view_as_json(article_view: openings.OpenedArticle) -> dict[str, Any]:
    return {
        "article": article_view.version.article.slug,
        "version": article_view.version.number,
        "at": _iso_datetime(article_view.at),
        "by": article_view.who,
    }


def _article_files(subject: PackSubject) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the opened articles: texts as Markdown, and attached files."""
    for version in {
        article_view.version.id: article_view.version for article_view in subject.articles
    }.values():
        name = f"articles/{version.article.slug}-v{version.number}"
        for language in ("uz", "ru"):
            title, text = (getattr(version, f"{part}_{language}") for part in ("title", "text"))
            if title or text:
                yield f"{name}.{language}.md", f"# {title}\n\n{text}\n".encode()
        for file in ArticleFile.select().where(ArticleFile.id.in_(list(version.files))):
            yield f"{name}/{file.id}.{file.kind}", bytes(file.content)


def _message_as_json(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "purpose": message.purpose,
        "to": message.recipient,
        "text": message.text,
        "state": message.state,
        "written_at": _iso_datetime(message.created_at),
        "sent_at": _iso_datetime(message.sent_at),
        "ended_at": _iso_datetime(message.ended_at),
        "by": message.gateway,
    }


def _entry_as_json(entry: Any) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": _iso_datetime(entry.at),
        "who": entry.who,
        "action": entry.action,
        "about": entry.subject or None,  # None for a list that contains other records too
        "address": entry.address or None,
        "detail": {name: entry.detail[name] for name in _DISCLOSED_DETAILS if name in entry.detail},
        "hash": entry.hash,
    }


def _audit_head_as_json() -> dict[str, Any]:
    """Return the current head of the audit chain, and the newest head that was signed."""
    head, anchor = audit.chain_head(), AuditAnchor.select().order_by(AuditAnchor.id.desc()).first()
    signed = anchor and {
        "text": anchors.signed_text(anchor.at, audit.Head(anchor.entry, anchor.hash)).decode(),
        "signature": anchor.signature,
    }
    return {"head": head and str(head), "signed": signed}


def _json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_json_default).encode() + b"\n"


def _json_lines(rows: Iterator[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


def _json_default(value: Any) -> Any:
    """Convert a date for json.dumps. Raises TypeError for any other object, such as a row."""
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    raise TypeError(f"{value!r}" if not isinstance(value, Model) else f"row {value}")


def _iso_datetime(moment: dt.datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None
