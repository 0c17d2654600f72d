"""The PDFs of a pack: its contents for people, and the page that explains how to verify it."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from appliance.casework.appeals import handling
from appliance.casework.knowledge import wording
from appliance.casework.scripts import texts as script_texts
from appliance.core import clock, signatures
from appliance.core.audit import labels as audit_words
from appliance.core.i18n import locale_translations
from appliance.core.settings import Settings
from appliance.models import Appeal, CallForm, EvidencePack
from appliance.people import accounts
from appliance.reports import formatting, pdf, report_texts
from appliance.reports.evidence import contents
from appliance.reports.evidence.contents import LOCALES, PackSubject
from appliance.reports.paper import jinja_environment
from appliance.telephony import calls

# the command of each step of the instructions; "" for a step without a command
VERIFY_COMMANDS = (
    "",
    "openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.sha256"
    " -sigfile manifest.sha256.sig",
    "sha256sum -c manifest.sha256",
    "openssl pkey -pubin -in public-key.pem -outform DER | openssl dgst -sha256",
)


@dataclass(frozen=True)
class HeadedTable:
    """A table under its heading.

    Without `heads`, the first cell of a row is its name. `hash_column` is the number of the column
    that contains hashes, counted from 1; 0 if there is no such column. `empty` is shown in place of
    a table without rows; if it is "", the document's general text for that.
    """

    title: str
    rows: list[tuple[str, ...]]
    heads: tuple[str, ...] = ()
    empty: str = ""
    hash_column: int = 0


def printed_documents(
    settings: Settings,
    pack: EvidencePack,
    subject: PackSubject,
    hashes: Mapping[str, str],
    public_key: bytes,
) -> Iterator[tuple[str, bytes]]:
    """Yield (file name, PDF) of a pack's contents in each language.

    `hashes` are the SHA-256 of the files already in the pack, by file name; they are printed.
    """
    now = clock.now().astimezone(settings.tz)
    for language, locale in LOCALES.items():
        texts = _evidence_texts()[language]
        html = jinja_environment.get_template("evidence.html").render(
            words=texts,
            title=texts["title"].format(number=pack.id),
            made=texts["made"].format(moment=formatting.format_datetime(now)),
            made_at=now.isoformat(timespec="seconds"),
            site=settings.web.url,
            parts=list(
                _DocumentTables(settings, texts, locale).headed_tables(pack, subject, hashes)
            ),
        )
        yield f"evidence.{language}.pdf", pdf.write_pdf(html)


def instructions_pdf(settings: Settings, pack: EvidencePack, public_key: bytes) -> bytes:
    """Return the page that explains how a pack is verified, in Uzbek and Russian, as a PDF."""
    now = clock.now().astimezone(settings.tz)
    html = jinja_environment.get_template("how.html").render(
        sections=[
            texts["how"] | {"language": texts["language"]} for texts in _evidence_texts().values()
        ],
        commands=VERIFY_COMMANDS,
        number=pack.id,
        fingerprint=signatures.key_fingerprint(public_key),
        made_at=now.isoformat(timespec="seconds"),
        site=settings.web.url,
    )
    return pdf.write_pdf(html)


@cache
def _evidence_texts() -> dict[str, dict[str, Any]]:
    """Return the texts of the documents, by language (a key of LOCALES)."""
    return tomllib.loads((report_texts.TEMPLATES_DIRECTORY / "evidence.toml").read_text("utf-8"))


class _DocumentTables:
    """Builds the tables of a pack's printed contents in one language.

    `texts` are those of evidence.toml in that language.
    """

    def __init__(self, settings: Settings, texts: dict[str, Any], locale: str) -> None:
        self._tz, self._texts, self._locale = settings.tz, texts, locale
        self._gettext = locale_translations(locale).gettext
        self._names = accounts.display_names(locale)

    def headed_tables(
        self, pack: EvidencePack, subject: PackSubject, hashes: Mapping[str, str]
    ) -> Iterator[HeadedTable]:
        """Yield all tables of the printed contents, in order."""
        texts = self._texts
        request_rows = [
            (texts["asked"], self._format_time(pack.asked_at)),
            (texts["by"], self._person_name(pack.by)),
            (texts["reason"], pack.reason),
        ]
        yield HeadedTable(texts["about"], [*request_rows])
        if subject.call:
            yield HeadedTable(texts["call"], self._call_rows(subject.call))
            yield HeadedTable(
                texts["course"],
                self._call_step_rows(subject.call),
                self._column_heads("when what details"),
            )
        recording_rows = [
            self._recording_row(recording, hashes) for recording in subject.pack_recordings
        ]
        heads = self._column_heads("file length hash registry")
        yield HeadedTable(texts["recordings"], recording_rows, heads, texts["no_recordings"], 3)
        for appeal in subject.appeals:
            yield self._form_table("appeal", appeal, appeal.form_version)
            title = texts["steps"].format(number=appeal.number)
            yield HeadedTable(
                title, self._appeal_step_rows(appeal), self._column_heads("when who what text")
            )
        for call_form in subject.call_forms:
            yield self._form_table("call_form", call_form, call_form.version)
        heads = self._column_heads("when who what version")
        yield HeadedTable(texts["scripts"], [self._run_row(run) for run in subject.runs], heads)
        yield HeadedTable(
            texts["articles"], [self._article_row(item) for item in subject.articles], heads
        )
        message_rows = [self._message_row(item) for item in subject.messages]
        yield HeadedTable(texts["messages"], message_rows, self._column_heads("when text state"))
        access_rows = [self._access_row(item) for item in subject.accesses]
        yield HeadedTable(
            texts["accesses"], access_rows, self._column_heads("when who what details")
        )

    def _column_heads(self, names: str) -> tuple[str, ...]:
        """Return the texts of column heads; `names` are their keys, separated by spaces."""
        return tuple(self._texts[name] for name in names.split())

    def _call_rows(self, call: Any) -> list[tuple[str, ...]]:
        """Return (label, value) of each fact about the call."""
        texts, names = (
            self._texts,
            {
                outcome_type.code: outcome_type.name
                for outcome_type in (*calls.INBOUND_OUTCOMES, *calls.OUTBOUND_OUTCOMES)
            },
        )
        outcome = names.get(call.outcome or "")
        return [
            (texts["id"], call.id),
            (texts["direction"], texts["directions"][call.direction]),
            (texts["caller"], call.caller or texts["unknown"]),
            (texts["callee"], call.callee or call.diverted_from or call.hotline_number or "–"),
            (texts["arrived"], self._format_time(call.arrived_at)),
            (texts["ended"], self._format_time(call.ended_at)),
            (texts["outcome"], self._gettext(outcome) if outcome else texts["unknown"]),
            (texts["waited"], formatting.format_clock(call.wait_seconds)),
            (texts["talked"], formatting.format_clock(call.talk_seconds)),
        ]

    def _call_step_rows(self, call: Any) -> list[tuple[str, ...]]:
        """Return a row for each step of the call: when, what, and details.

        The details are the person and the duration; each is left out if the step has no such.
        """
        kinds = self._texts["course_kinds"]
        return [
            (
                self._format_time(step.at),
                kinds[step.kind],
                " ".join(
                    filter(
                        None,
                        (
                            self._person_name(step.subject) if step.subject else "",
                            formatting.format_clock(step.seconds)
                            if step.seconds is not None
                            else "",
                        ),
                    )
                ),
            )
            for step in calls.call_steps(call)
        ]

    def _recording_row(
        self, recording: contents.PackRecording, hashes: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Return the row of a recording, which states if its hash is the one stored after the call.

        `hashes` are the SHA-256 of the files in the pack, by name; a missing file has no hash.
        """
        texts, packed_hash = self._texts, hashes.get(recording.name)
        if not packed_hash:
            return (
                recording.row.file,
                formatting.format_clock(recording.row.seconds),
                "–",
                texts["missing"],
            )
        stored_hash = recording.row.sha256
        verdict = (
            "not_measured"
            if not stored_hash
            else "same"
            if stored_hash == packed_hash
            else "differs"
        )
        return (
            recording.name,
            formatting.format_clock(recording.row.seconds),
            packed_hash,
            texts[verdict],
        )

    def _form_table(self, kind: str, row: Appeal | CallForm, version: int) -> HeadedTable:
        """Return the table of a record's dates and filled fields.

        `kind`, "appeal" or "call_form", is the key of the title's text. `version` is the version of
        the form with which the record was registered.
        """
        texts = self._texts
        header_rows = [
            (texts["received"], self._format_time(row.received_at)),
            (texts["registered"], self._format_time(row.registered_at)),
            (texts["operator"], accounts.display_name(row.operator, self._locale)),
        ]
        title = texts[kind].format(number=row.number, version=version)
        return HeadedTable(title, [*header_rows, *contents.filled_fields(row, self._locale)])

    def _appeal_step_rows(self, appeal: Appeal) -> list[tuple[str, ...]]:
        """Return a row for each step in the handling of an appeal, oldest first."""
        return [
            (
                self._format_time(step.at),
                self._person_name(step.who),
                self._gettext(audit_words.action_labels(f"appeal.{step.action}")[1]),
                step.text,
            )
            for step in reversed(handling.list_steps(appeal))
        ]

    def _run_row(self, run: Any) -> tuple[str, ...]:
        """Return the row of a call script that an operator followed."""
        title = script_texts.localized_text(run.script.title, self._locale)
        operator = accounts.display_name(run.row.operator, self._locale)
        return self._format_time(run.row.begun_at), operator, title, str(run.row.version.number)

    def _article_row(self, article_view: Any) -> tuple[str, ...]:
        """Return the row of an article that a user opened."""
        title = wording.localized_title(article_view.version, self._locale)
        return (
            self._format_time(article_view.at),
            self._person_name(article_view.who),
            title,
            str(article_view.version.number),
        )

    def _message_row(self, message: Any) -> tuple[str, ...]:
        """Return the row of a short message: when it was written, its text and its state."""
        return self._format_time(message.created_at), message.text, message.state

    def _access_row(self, entry: Any) -> tuple[str, ...]:
        """Return the row of an audit entry; details are the reason and the network address."""
        object_name, action_name = audit_words.action_labels(entry.action)
        action = (
            f"{self._gettext(object_name)}: {self._gettext(action_name)}"
            if action_name
            else self._gettext(object_name)
        )
        notes = (entry.detail.get("reason"), entry.address)
        return (
            self._format_time(entry.at),
            self._person_name(entry.who),
            action,
            " · ".join(str(note) for note in notes if note),
        )

    def _person_name(self, login: str) -> str:
        """Return the name of the user with this login, or the login if there is no such user."""
        return self._names.get(login, login)

    def _format_time(self, moment: Any) -> str:
        """Return a datetime as text in the site's time zone, with seconds; "–" if it is missing."""
        if not moment:
            return "–"
        return f"{moment.astimezone(self._tz):%d.%m.%Y %H:%M:%S}"
