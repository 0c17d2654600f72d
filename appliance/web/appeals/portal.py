"""The ministry's appeals: the list as they arrive, what was looked for, figures, the table."""

import datetime as dt
from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import applicants, catalogs, departments, identity
from appliance.casework.appeals import (
    additions,
    answer_drafts,
    exporting,
    listing,
    searching,
    states,
    statistics,
)
from appliance.casework.appeals.listing import Filters
from appliance.core import audit, phone_numbers, spreadsheets
from appliance.core.i18n import named
from appliance.core.intervals import Interval
from appliance.people import accounts
from appliance.reports import words
from appliance.web.appeals import appeal_labels
from appliance.web.shell import disclosure, formats, labels
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded

screen = Blueprint("portal", __name__, url_prefix="/appeals")

PAGE = 50  # appeals on one page
RECEIVED = ("from", "to", "weekday", "work")  # when the call arrived: how reports ask
LONGEST = 100  # days of it
# what an address may ask for
ASKED = (
    *("state", "when", "all", "answer", "q", "appeal_type", "direction", "region", "district"),
    *("department", "since", "until", "mine", *RECEIVED),
)
# the choices above the list: filter, its value, name, icon and its colour
TABS = (
    ("state", "open", _l("Open ones"), "", ""),
    ("when", "overdue", _l("Overdue"), "octagon-alert", "bad"),
    ("when", "today", _l("Today"), "clock", "warn"),
    ("when", "soon", _l("Within 3 days"), "", ""),
    ("when", "later", _l("Later"), "", ""),
    ("state", "returned", _l("Returned"), "undo-2", ""),
    ("state", "answered", _l("Answer given"), "", ""),
    ("state", "closed", _l("Closed"), "", ""),
)
ANSWERS = {
    "in_time": _l("Answered in time"),
    "late": _l("Answered late"),
    "none": _l("Closed without an answer"),
}
COLUMNS = {
    "received_at": _l("Received"),
    "registered_on": _l("Registered"),
    "state": _l("State"),
    "department": _l("Department"),
    "due_on": _l("Deadline"),
    "answered_on": _l("Answer given"),
    "operator": _l("Operator"),
}


@screen.get("")
@may("appeal.list")
def page() -> str:
    """The appeals that the address asks for; the address is the view, and can be sent."""
    template = "portal/inbox.html" if me().role == "ministry" else "portal/page.html"
    found, asked = listed()
    disclosure.log_shown("appeal", [appeal.number for appeal, *_rest in found["lines"]], asked)
    return render_template(template, **found, **choices(), opened="")


@screen.get("/list")
@may("appeal.list")
def table() -> str:
    """The list, as a piece of the open page; `opened`: the appeal whose card is beside it."""
    template = "portal/rows.html" if me().role == "ministry" else "portal/list.html"
    found, asked = listed()
    disclosure.log_shown("appeal", [appeal.number for appeal, *_rest in found["lines"]], asked)
    return render_template(template, **found, opened=request.args.get("opened", ""))


@screen.get("/appeals.csv")
@may("appeal.list")
@heavy
def download() -> Response:
    """The list as a table for spreadsheets, with the columns that the role may see."""
    filters, columns = _filters(), exporting.columns_of(me().role)
    audit.record(me().login, "appeals.download", request.query_string.decode()[:500])
    rows = exporting.rows(filters, appeal_labels.today(), _within(), columns, locale())
    name = f"murojaatlar_{appeal_labels.today():%Y-%m-%d}.csv"
    return Response(
        stream_with_context(_written(columns, rows)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@screen.get("/statistics")
@may("appeal.list")
@heavy
def figures() -> str:
    """How many of the appeals registered between two dates stand where, by what they are."""
    today = appeal_labels.today()
    first = identity.day(request.args.get("since", "")) or today.replace(day=1)
    last = identity.day(request.args.get("until", "")) or today
    made = statistics.statistics(first, last, today, _within())
    return render_template(
        "portal/statistics.html",
        first=first,
        last=last,
        made=made,
        states=appeal_labels.STATES,
        tables=[_named(kind, title, made.by[kind]) for kind, title in _tables().items()],
    )


def _within() -> int | None:
    """The department whose appeals are seen; None: all of them."""
    return accounts.department_of(me()) if me().role == "ministry" else None


def _filters() -> Filters:
    """What the address asks for, the open ones by itself; what it says wrong is passed over."""
    asked = request.args.get
    terms = searching.terms(asked("q", ""))
    when = asked("when", "") if asked("when") in listing.WHENS else ""
    state = asked("state", "") if asked("state") in ("open", *states.STATES) else ""
    answer = asked("answer", "") if asked("answer") in listing.ANSWERS else ""
    if not (when or answer or terms or asked("all")):
        state = state or "open"
    return Filters(
        state=state,
        when=when,
        answer=answer,
        region=asked("region", ""),
        district=asked("district", "") if asked("region") else "",
        direction=asked("direction", ""),
        appeal_type=asked("appeal_type", ""),
        department=_department(asked("department", "")),
        holder=me().login if asked("mine") else "",
        since=identity.day(asked("since", "")),
        until=identity.day(asked("until", "")),
        words=terms,
        received=_received(),
        reader=me(),
    )


def _department(text: str) -> int | None:
    """The department whose id was sent, one out of use too; None for anything else."""
    if text == listing.NONE:
        return listing.NOBODY
    return next((d.id for d in departments.departments(active=False) if str(d.id) == text), None)


def _received() -> tuple[Interval, ...] | None:
    """The intervals in which the calls arrived; None: at any time."""
    first, last = (identity.day(request.args.get(name, "")) for name in ("from", "to"))
    if not first or not last or not dt.timedelta() <= last - first < dt.timedelta(LONGEST):
        return None
    weekday = request.args.get("weekday", 0, bounded)
    work = {"inside": True, "outside": False}.get(request.args.get("work", ""))
    calendar = catalogs.working_calendar(site())
    return tuple(calendar.intervals(first, last, weekday or None, work))


def _received_worded() -> str:
    """The same, for people."""
    asked = request.args.get
    parts = [f"{asked('from')}–{asked('to')}"]
    if (weekday := asked("weekday", 0, bounded)) in range(1, 8):
        parts.append(words.load(locale()).weekdays[weekday - 1])
    if asked("work") in ("inside", "outside"):
        parts.append(_("in working hours") if asked("work") == "inside" else _("out of hours"))
    return ", ".join(parts)


def asked_in(query: str) -> dict[str, str]:
    """The filters that an address, or a form that carries its query, asks for."""
    return {name: text for name, text in parse_qsl(query) if name in (*ASKED, "page")}


def listed() -> tuple[dict[str, Any], dict[str, str]]:
    """What the templates of the list show, and what the address asks for."""
    filters, today, calendar = _filters(), appeal_labels.today(), catalogs.working_calendar(site())
    page = max(1, request.args.get("page", 1, bounded))
    counts = listing.counted(filters, today, _within())
    shown = counts[filters.when or filters.state] if filters.when or filters.state else None
    shown = sum(counts[s] for s in states.STATES) if shown is None else shown
    found = listing.listed(filters, today, _within(), PAGE, (page - 1) * PAGE)
    asked = {name: request.args[name] for name in ASKED if request.args.get(name)}
    args = asked | ({"page": str(page)} if page > 1 else {})
    return {
        "asked": asked,
        "list_args": args,
        "list_asked": urlencode(args),
        "filters": filters,
        "too_short": bool(request.args.get("q", "").strip()) and not filters.words,
        "counts": counts,
        "answers": ANSWERS,
        "received": _received_worded() if filters.received is not None else "",
        "tabs_of_list": TABS,
        "page": page,
        "pages": max(1, -(-shown // PAGE)),
        "shown": shown,
        "lines": [
            (
                appeal,
                applicants.name_of(appeal),
                appeal_labels.nearness(appeal.handling, today, calendar),
            )
            for appeal in found
        ],
        "begun": answer_drafts.begun(me(), found),
        "added": additions.unseen(found),
        "states": appeal_labels.STATES,
        "people": accounts.names(locale()),
        "who": appeal_labels.who,
        "types": catalogs.shown_labels("appeal_type", locale()),
        "directions": catalogs.shown_labels("direction", locale()),
        "named": lambda thing: named(thing, locale()),
    }, asked


def choices() -> dict[str, Any]:
    """What the filters choose from."""
    day = appeal_labels.today()
    regions = [(r.soato, named(r, locale())) for r in catalogs.find_regions("")]
    of_region = catalogs.districts_of(request.args.get("region"))
    districts = [(d.soato, named(d, locale())) for d in of_region]
    theirs = [] if _within() else departments.departments()
    return {
        "choices": {
            "appeal_type": (
                labels.FIELDS["appeal_type"],
                catalogs.choices("appeal_type", locale(), day),
            ),
            "direction": (
                labels.FIELDS["direction"],
                catalogs.choices("direction", locale(), day),
            ),
            "region": (labels.FIELDS["region"], regions),
            "district": (labels.FIELDS["district"], sorted(districts, key=lambda d: d[1])),
            "department": (_("Department"), [(str(d.id), named(d, locale())) for d in theirs]),
        },
        "may_hold": me().role == "ministry",
    }


def _tables() -> dict[str, str]:
    return {
        "department": _("By department"),
        "direction": _("By direction"),
        "region": _("By region"),
        "appeal_type": _("By kind of appeal"),
    }


def _named(kind: str, title: str, by: dict[Any, statistics.Counts]) -> tuple[str, str, list[Any]]:
    """(kind, title, [(key, name, counts)]): every name of the list, then what nobody told."""
    if kind == "region":
        listed = {r.soato: named(r, locale()) for r in catalogs.find_regions("")}
    elif kind == "department":
        listed = {d.id: named(d, locale()) for d in departments.departments(active=False)}
    else:
        listed = catalogs.labels(kind, locale())
    rows = [(key, name, by[key]) for key, name in listed.items() if key in by]
    nobody = _("no department") if kind == "department" else _("not told")
    rest = [(key, key or nobody, by[key]) for key in by if key not in listed]
    return kind, title, rows + rest


def _written(columns: tuple[str, ...], rows: Iterator[list[Any]]) -> Iterator[str]:
    """The table as spreadsheets here open it: marked as UTF-8, parted by semicolons."""
    heads = [str(COLUMNS.get(name) or labels.FIELDS[name]) for name in columns]
    cells = ([_cell(*cell) for cell in zip(columns, row, strict=True)] for row in rows)
    yield spreadsheets.MARK
    yield from spreadsheets.pieces(chain([heads], cells), delimiter=";")


def _cell(column: str, value: Any) -> str:
    """A value as text."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return formats.moment(value).replace("\u00a0", " ")
    if isinstance(value, dt.date):
        return formats.date(value)
    if column == "state":
        return str(appeal_labels.STATES[value][0])
    if column in ("phone", "phone_at_hand"):
        return phone_numbers.grouped(value).removeprefix("+")
    return str(labels.VALUES.get(column, {}).get(value, value))
