"""The answer to a citizen's request about his own data, as a PDF in Uzbek or Russian."""

import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from appliance.casework import data_requests
from appliance.casework.data_requests import Stored
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Appeal, CallForm, DataRequest, User
from appliance.people import accounts
from appliance.reports import figures, pdf, words
from appliance.reports.evidence import contents
from appliance.reports.evidence.printing import Part
from appliance.reports.paper import pages

LOCALES = contents.LOCALES


def write(settings: Settings, request: DataRequest, user: User, language: str) -> bytes:
    """The answer in a language of LOCALES; what is stored is as it is now.

    Raises data_requests.RequestError: "closed" when a personal appeal in it is not open to him.
    """
    text, tz = _words()[language], settings.tz
    records = request.records
    ticked = {f"appeal:{n}" for n in records.get("appeal", [])}
    ticked |= {f"call_form:{n}" for n in records.get("call_form", [])}
    ticked |= {"number"} if records.get("number") else set()
    his = data_requests.chosen(request, user, ticked) if ticked else Stored()
    done = request.done_at.astimezone(tz) if request.done_at else clock.now().astimezone(tz)
    asked = [
        (text["to"], request.person or "–"),
        (text["phone"], request.phone or "–"),
        (text["asked"], figures.date(request.asked_at.astimezone(tz).date())),
        (text["about"], " ".join(filter(None, (text[request.kind] + ".", request.what)))),
    ]
    page = pages.get_template("data_request.html").render(
        words=text,
        title=text["title"].format(number=request.id),
        head=asked,
        texts=list(_texts(settings, request, text)),
        parts=list(_parts(settings, request, his, text, LOCALES[language])),
        answered=text["answered"].format(
            date=figures.date(done.date()),
            name=accounts.names(LOCALES[language]).get(request.done_by, request.done_by),
        ),
        made_at=clock.now().astimezone(tz).isoformat(timespec="seconds"),
        site=settings.web.url,
    )
    return pdf.write(page)


@cache
def _words() -> dict[str, dict[str, Any]]:
    return tomllib.loads((words.TEMPLATES / "data_request.toml").read_text("utf-8"))


def _texts(settings: Settings, request: DataRequest, text: dict[str, Any]) -> Iterator[str]:
    if request.state == "refused":
        yield f"{text['refused']} {request.answer}"
        return
    if request.kind == "mask":
        done = (request.done_at or clock.now()).astimezone(settings.tz).date()
        yield text["masked"].format(date=figures.date(done))
        numbers = [*request.records.get("appeal", []), *request.records.get("call_form", [])]
        yield ", ".join(numbers) or text["none"]
        yield text["stays"]
    if request.answer:
        yield request.answer
    if request.kind == "tell":
        keeping = settings.retention
        yield text["kept"].format(months=keeping.recordings_months, years=keeping.appeals_years)


def _parts(
    settings: Settings, request: DataRequest, his: Stored, text: dict[str, Any], locale: str
) -> Iterator[Part]:
    if request.state == "refused" or request.kind == "mask":
        return
    for appeal in his.appeals:
        yield _form(settings, text, "appeal", appeal, locale)
    for made in his.call_forms:
        yield _form(settings, text, "call_form", made, locale)
    if request.kind == "correct":
        return
    tz = settings.tz
    yield Part(
        text["calls"],
        [
            (
                figures.moment(call.arrived_at.astimezone(tz)),
                text["directions"][call.direction],
                figures.clock(call.talk_seconds),
            )
            for call in his.calls
        ],
        (text["when"], text["direction"], text["talked"]),
    )
    sent: list[tuple[str, ...]] = [
        (figures.moment(m.created_at.astimezone(tz)), m.text) for m in his.messages if m.text
    ]
    yield Part(text["messages"], sent, (text["when"], text["text"]))
    notes: list[tuple[str, ...]] = [
        (figures.moment(note.at.astimezone(tz)), note.text) for note in his.notes
    ]
    yield Part(text["notes"], notes, (text["when"], text["text"]))
    yield Part(
        text["recordings"],
        [
            (text["recordings"], str(his.recordings)),
            (text["callbacks"], str(his.callbacks)),
        ],
    )


def _form(
    settings: Settings, text: dict[str, Any], kind: str, row: Appeal | CallForm, locale: str
) -> Part:
    tz = settings.tz
    beside = [
        (text["received"], figures.moment(row.received_at.astimezone(tz))),
        (text["registered"], figures.moment(row.registered_at.astimezone(tz))),
    ]
    title = text[kind].format(number=row.number)
    return Part(title, [*beside, *contents.fields(row, locale)])
