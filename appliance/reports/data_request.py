"""The answer to a citizen's request about their own data, as a PDF in Uzbek or Russian."""

import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from appliance.casework import data_requests
from appliance.casework.data_requests import StoredRecords
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Appeal, CallForm, DataRequest, User
from appliance.people import accounts
from appliance.reports import formatting, pdf, report_texts
from appliance.reports.evidence import HeadedTable, contents
from appliance.reports.paper import jinja_environment

LOCALES = contents.LOCALES


def render_answer(settings: Settings, request: DataRequest, user: User, language: str) -> bytes:
    """Return the answer to a request as a PDF, with the citizen's data as stored now.

    `user` is the person who downloads it, `language` a key of LOCALES. Raises Refused with the code
    "closed" if the answer includes a personal appeal that the user may not read.
    """
    texts, tz = _answer_texts()[language], settings.tz
    records = request.records
    selected_records = {f"appeal:{n}" for n in records.get("appeal", [])}
    selected_records |= {f"call_form:{n}" for n in records.get("call_form", [])}
    # "number" selects what is linked to the citizen's phone number only
    selected_records |= {"number"} if records.get("number") else set()
    stored = (
        data_requests.selected_records(request, user, selected_records)
        if selected_records
        else StoredRecords()
    )
    answered_at = request.done_at.astimezone(tz) if request.done_at else clock.now().astimezone(tz)
    header_lines = [
        (texts["to"], request.person or "–"),
        (texts["phone"], request.phone or "–"),
        (texts["asked"], formatting.format_date(request.asked_at.astimezone(tz).date())),
        (texts["about"], " ".join(filter(None, (texts[request.kind] + ".", request.what)))),
    ]
    html = jinja_environment.get_template("data_request.html").render(
        words=texts,
        title=texts["title"].format(number=request.id),
        head=header_lines,
        texts=list(_answer_paragraphs(settings, request, texts)),
        parts=list(_answer_sections(settings, request, stored, texts, LOCALES[language])),
        answered=texts["answered"].format(
            date=formatting.format_date(answered_at.date()),
            name=accounts.display_names(LOCALES[language]).get(request.done_by, request.done_by),
        ),
        made_at=clock.now().astimezone(tz).isoformat(timespec="seconds"),
        site=settings.web.url,
    )
    return pdf.write_pdf(html)


@cache
def _answer_texts() -> dict[str, dict[str, Any]]:
    """Return the texts of the printed answer, by language (a key of LOCALES)."""
    return tomllib.loads(
        (report_texts.TEMPLATES_DIRECTORY / "data_request.toml").read_text("utf-8")
    )


def _answer_paragraphs(
    settings: Settings, request: DataRequest, texts: dict[str, Any]
) -> Iterator[str]:
    """Yield the paragraphs of the answer, which come before the tables of data.

    A refusal has only its reason. The kind of a request is "tell" (send the stored data), "correct"
    or "mask"; for "mask", the paragraphs list the masked records and say what remains stored.
    """
    if request.state == "refused":
        yield f"{texts['refused']} {request.answer}"
        return
    if request.kind == "mask":
        masked_on = (request.done_at or clock.now()).astimezone(settings.tz).date()
        yield texts["masked"].format(date=formatting.format_date(masked_on))
        numbers = [*request.records.get("appeal", []), *request.records.get("call_form", [])]
        yield ", ".join(numbers) or texts["none"]
        yield texts["stays"]
    if request.answer:
        yield request.answer
    if request.kind == "tell":
        retention = settings.retention
        yield texts["kept"].format(
            months=retention.recordings_months, years=retention.appeals_years
        )


def _answer_sections(
    settings: Settings,
    request: DataRequest,
    stored: StoredRecords,
    texts: dict[str, Any],
    locale: str,
) -> Iterator[HeadedTable]:
    """Yield the tables of the citizen's data.

    A refusal and the answer to a request for masking have no tables, the answer to a request for
    correction has only those of the appeals and call forms.
    """
    if request.state == "refused" or request.kind == "mask":
        return
    for appeal in stored.appeals:
        yield _record_section(settings, texts, "appeal", appeal, locale)
    for call_form in stored.call_forms:
        yield _record_section(settings, texts, "call_form", call_form, locale)
    if request.kind == "correct":
        return
    tz = settings.tz
    yield HeadedTable(
        texts["calls"],
        [
            (
                formatting.format_datetime(call.arrived_at.astimezone(tz)),
                texts["directions"][call.direction],
                formatting.format_clock(call.talk_seconds),
            )
            for call in stored.calls
        ],
        (texts["when"], texts["direction"], texts["talked"]),
    )
    message_rows: list[tuple[str, ...]] = [
        (formatting.format_datetime(message.created_at.astimezone(tz)), message.text)
        for message in stored.messages
        if message.text
    ]
    yield HeadedTable(texts["messages"], message_rows, (texts["when"], texts["text"]))
    note_rows: list[tuple[str, ...]] = [
        (formatting.format_datetime(note.at.astimezone(tz)), note.text) for note in stored.notes
    ]
    yield HeadedTable(texts["notes"], note_rows, (texts["when"], texts["text"]))
    yield HeadedTable(
        texts["recordings"],
        [
            (texts["recordings"], str(stored.recordings)),
            (texts["callbacks"], str(stored.callbacks)),
        ],
    )


def _record_section(
    settings: Settings, texts: dict[str, Any], kind: str, row: Appeal | CallForm, locale: str
) -> HeadedTable:
    """Return the table of a record's dates and filled fields.

    `kind`, "appeal" or "call_form", is the key of its title in `texts`.
    """
    tz = settings.tz
    dates = [
        (texts["received"], formatting.format_datetime(row.received_at.astimezone(tz))),
        (texts["registered"], formatting.format_datetime(row.registered_at.astimezone(tz))),
    ]
    title = texts[kind].format(number=row.number)
    return HeadedTable(title, [*dates, *contents.filled_fields(row, locale)])
