"""The list of appeals with searches and filters, its statistics, and the list as a CSV table."""

import datetime as dt
from collections.abc import Iterator
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
from appliance.core.i18n import localized_name
from appliance.core.intervals import Interval
from appliance.people import accounts
from appliance.reports import report_texts
from appliance.web.shared import appeal_labels
from appliance.web.shell import disclosure, formats, labels
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import page_number, parse_count

screen = Blueprint("portal", __name__, url_prefix="/appeals")

APPEALS_PER_PAGE = 50
# Query parameters that say when the call arrived; reports link to the list with them.
RECEIVED_PARAMETERS = (
    "from",
    "to",
    "weekday",
    "work",
)
MAX_RECEIVED_DAYS = 100  # the longest period of arrival that the list accepts
# Query parameters that filter the list.
FILTER_PARAMETERS = (
    *("state", "when", "all", "answer", "q", "appeal_type", "direction", "region", "district"),
    *("department", "since", "until", "mine", *RECEIVED_PARAMETERS),
)
# The tabs above the list: a filter, its value, the name, the icon and the icon's colour.
TABS = (
    ("state", "open", _l("Open appeals"), "", ""),
    ("when", "overdue", _l("Overdue"), "octagon-alert", "bad"),
    ("when", "today", _l("Today"), "clock", "warn"),
    ("when", "soon", _l("Within 3 days"), "", ""),
    ("when", "later", _l("Later"), "", ""),
    ("state", "returned", _l("Returned"), "undo-2", ""),
    ("state", "answered", _l("Answer sent"), "", ""),
    ("state", "closed", _l("Closed"), "", ""),
)
ANSWER_LABELS = {
    "in_time": _l("Answered in time"),
    "late": _l("Answered late"),
    "none": _l("Closed without an answer"),
}
COLUMN_LABELS = {
    "received_at": _l("Received"),
    "registered_on": _l("Registered"),
    "state": _l("State"),
    "department": _l("Department"),
    "due_on": _l("Deadline"),
    "answered_on": _l("Answer sent"),
    "operator": _l("Operator"),
}


@screen.get("")
@may("appeal.list")
def list_appeals() -> str:
    """Show the appeals that the address selects.

    The address contains all filters and the page, so that it can be sent to others.
    """
    template = "portal/inbox.html" if me().role == "ministry" else "portal/page.html"
    context, filter_values = list_context()
    disclosure.log_shown(
        "appeal", [appeal.number for appeal, *_rest in context["lines"]], filter_values
    )
    return render_template(template, **context, **filter_choices(), opened="")


@screen.get("/list")
@may("appeal.list")
def show_appeal_list() -> str:
    """Show the list as a fragment of the open page.

    `opened` is the number of the appeal whose card is open next to it.
    """
    template = "portal/rows.html" if me().role == "ministry" else "portal/list.html"
    context, filter_values = list_context()
    disclosure.log_shown(
        "appeal", [appeal.number for appeal, *_rest in context["lines"]], filter_values
    )
    return render_template(template, **context, opened=request.args.get("opened", ""))


@screen.get("/appeals.csv")
@may("appeal.list")
@long_running
def download_appeals() -> Response:
    """Send the list as a CSV table for spreadsheets, with the columns that the user may see."""
    filters, columns = _requested_filters(), exporting.exportable_columns(me())
    audit.record_entry(me().login, "appeals.download", request.query_string.decode()[:500])
    rows = exporting.export_rows(filters, today(), _own_department_id(), me(), locale())
    name = f"murojaatlar_{today():%Y-%m-%d}.csv"
    return Response(
        stream_with_context(_csv_pieces(columns, rows)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@screen.get("/statistics")
@may("appeal.list")
@long_running
def show_statistics() -> str:
    """Show the number of appeals registered from the date `since` to the date `until`.

    By default that is the current month until today. They are counted by state, and by department,
    direction (subject), region and type.
    """
    day = today()
    first = identity.parse_plausible_date(request.args.get("since", "")) or day.replace(day=1)
    last = identity.parse_plausible_date(request.args.get("until", "")) or day
    appeal_statistics = statistics.appeal_statistics(first, last, day, _own_department_id())
    return render_template(
        "portal/statistics.html",
        first=first,
        last=last,
        made=appeal_statistics,
        states=appeal_labels.STATES,
        tables=[
            _statistics_table(kind, title, appeal_statistics.by_grouping[kind])
            for kind, title in _statistics_titles().items()
        ],
    )


def _own_department_id() -> int | None:
    """Return the id of the department whose appeals the user sees, unless they see all."""
    return accounts.department_of(me()) if me().role == "ministry" else None


def _requested_filters() -> Filters:
    """Return the filters that the address gives; invalid values are ignored.

    Only open appeals are selected unless the address filters by state, deadline, answer or text, or
    has `all`.
    """
    parameter = request.args.get
    terms = searching.search_terms(parameter("q", ""))
    when = parameter("when", "") if parameter("when") in listing.DEADLINE_CLASSES else ""
    state = (
        parameter("state", "")
        if parameter("state") in ("open", *states.WORKFLOW.state_codes)
        else ""
    )
    answer = parameter("answer", "") if parameter("answer") in listing.ANSWER_CLASSES else ""
    if not (when or answer or terms or parameter("all")):
        state = state or "open"
    return Filters(
        state=state,
        when=when,
        answer=answer,
        region=parameter("region", ""),
        district=parameter("district", "") if parameter("region") else "",
        direction=parameter("direction", ""),
        appeal_type=parameter("appeal_type", ""),
        department=_parse_department(parameter("department", "")),
        holder=me().login if parameter("mine") else "",
        since=identity.parse_plausible_date(parameter("since", "")),
        until=identity.parse_plausible_date(parameter("until", "")),
        words=terms,
        received=_received_intervals(),
        reader=me(),
    )


def _parse_department(text: str) -> int | None:
    """Return the id of the department in a filter, in use or not, if it exists.

    listing.NO_VALUE selects the appeals without a department.
    """
    if text == listing.NO_VALUE:
        return listing.NO_DEPARTMENT
    return next(
        (d.id for d in departments.list_departments(active_only=False) if str(d.id) == text), None
    )


def _received_intervals() -> tuple[Interval, ...] | None:
    """Return the intervals in which the calls must have arrived; None for any time.

    They are the days from `from` to `to`, restricted to a `weekday` (1 is Monday) and to working
    hours or the time outside them (`work`), if the address has these parameters.
    """
    first, last = (
        identity.parse_plausible_date(request.args.get(name, "")) for name in ("from", "to")
    )
    if (
        not first
        or not last
        or not dt.timedelta() <= last - first < dt.timedelta(MAX_RECEIVED_DAYS)
    ):
        return None
    weekday = request.args.get("weekday", 0, parse_count)
    work = {"inside": True, "outside": False}.get(request.args.get("work", ""))
    calendar = catalogs.working_calendar(site())
    return tuple(calendar.list_intervals(first, last, weekday or None, work))


def _received_label() -> str:
    """Return the filter by the calls' arrival (see _received_intervals) as text.

    It is called only if that filter is valid.
    """
    parameter = request.args.get
    parts = [f"{parameter('from')}–{parameter('to')}"]
    if (weekday := parameter("weekday", 0, parse_count)) in range(1, 8):
        parts.append(report_texts.load_texts(locale()).weekdays[weekday - 1])
    if parameter("work") in ("inside", "outside"):
        parts.append(_("in working hours") if parameter("work") == "inside" else _("out of hours"))
    return ", ".join(parts)


def parse_filters(query: str) -> dict[str, str]:
    """Return the list's filters and page from the query string of an address, by parameter.

    The card of an appeal has the address of its list in a field of its forms.
    """
    return {name: text for name, text in parse_qsl(query) if name in (*FILTER_PARAMETERS, "page")}


def list_context() -> tuple[dict[str, Any], dict[str, str]]:
    """Return the context of the list's templates, and the values of the filters by parameter.

    `asked` are these values, `list_args` all parameters of the list's address, and `list_asked` the
    same as a query string. `counts` are numbers of appeals by state and by deadline class; `shown`
    is the number of all selected appeals, of which `lines` has one page. `begun` and `added` are
    ids of appeals with the user's draft and with a new addition by the citizen.
    """
    filters, day, calendar = (
        _requested_filters(),
        today(),
        catalogs.working_calendar(site()),
    )
    page = page_number()
    counts = listing.count_by_state_and_deadline(filters, day, _own_department_id())
    total = counts[filters.when or filters.state] if filters.when or filters.state else None
    total = sum(counts[s] for s in states.WORKFLOW.state_codes) if total is None else total
    page_appeals = listing.list_appeals(
        filters, day, _own_department_id(), APPEALS_PER_PAGE, (page - 1) * APPEALS_PER_PAGE
    )
    filter_values = {
        name: request.args[name] for name in FILTER_PARAMETERS if request.args.get(name)
    }
    list_args = filter_values | ({"page": str(page)} if page > 1 else {})
    return {
        "asked": filter_values,
        "list_args": list_args,
        "list_asked": urlencode(list_args),
        "filters": filters,
        "too_short": bool(request.args.get("q", "").strip()) and not filters.words,
        "counts": counts,
        "answers": ANSWER_LABELS,
        "received": _received_label() if filters.received is not None else "",
        "tabs_of_list": TABS,
        "page": page,
        "pages": max(1, -(-total // APPEALS_PER_PAGE)),
        "shown": total,
        "lines": [
            (
                appeal,
                applicants.display_name(appeal),
                appeal_labels.deadline_nearness(appeal.handling, day, calendar),
            )
            for appeal in page_appeals
        ],
        "begun": answer_drafts.appeal_ids_with_draft(me(), page_appeals),
        "added": additions.appeal_ids_with_new_additions(page_appeals),
        "states": appeal_labels.STATES,
        "people": accounts.display_names(locale()),
        "who": appeal_labels.actor_name,
        "types": catalogs.labels_with_unlisted("appeal_type", locale()),
        "directions": catalogs.labels_with_unlisted("direction", locale()),
        "named": lambda thing: localized_name(thing, locale()),
    }, filter_values


def filter_choices() -> dict[str, Any]:
    """Return the template context of the options of the list's filters.

    `choices` has, by parameter, the label and the options as (value, name). There are no
    departments for a user who sees only one of them, and no districts until a region is selected.
    `may_hold`: the user can take appeals over, so the list can be filtered by those that they hold.
    """
    day = today()
    regions = [(r.soato, localized_name(r, locale())) for r in catalogs.match_regions("")]
    region_districts = catalogs.districts_of(request.args.get("region"))
    districts = [(d.soato, localized_name(d, locale())) for d in region_districts]
    offered_departments = [] if _own_department_id() else departments.list_departments()
    return {
        "choices": {
            "appeal_type": (
                labels.FIELDS["appeal_type"],
                catalogs.item_choices("appeal_type", locale(), day),
            ),
            "direction": (
                labels.FIELDS["direction"],
                catalogs.item_choices("direction", locale(), day),
            ),
            "region": (labels.FIELDS["region"], regions),
            "district": (labels.FIELDS["district"], sorted(districts, key=lambda d: d[1])),
            "department": (
                _("Department"),
                [(str(d.id), localized_name(d, locale())) for d in offered_departments],
            ),
        },
        "may_hold": me().role == "ministry",
    }


def _statistics_titles() -> dict[str, str]:
    """Return the title of each table of the statistics, by what it counts by, in their order."""
    return {
        "department": _("By department"),
        "direction": _("By direction"),
        "region": _("By region"),
        "appeal_type": _("By kind of appeal"),
    }


def _statistics_table(
    kind: str, title: str, counts_by_key: dict[Any, statistics.Counts]
) -> tuple[str, str, list[Any]]:
    """Return (kind, title, rows) of one table; a row is (key, name, counts).

    `kind` is what the table counts by, a key of _statistics_titles. Keys without a name, such as
    that of appeals for which no value is stated, come last.
    """
    if kind == "region":
        names = {r.soato: localized_name(r, locale()) for r in catalogs.match_regions("")}
    elif kind == "department":
        names = {
            d.id: localized_name(d, locale())
            for d in departments.list_departments(active_only=False)
        }
    else:
        names = catalogs.labels_by_code(kind, locale())
    rows = [(key, name, counts_by_key[key]) for key, name in names.items() if key in counts_by_key]
    missing_label = _("no department") if kind == "department" else _("not stated")
    other_rows = [
        (key, key or missing_label, counts_by_key[key]) for key in counts_by_key if key not in names
    ]
    return kind, title, rows + other_rows


def _csv_pieces(columns: tuple[str, ...], rows: Iterator[list[Any]]) -> Iterator[str]:
    """Return the pieces of a CSV file with headings, which spreadsheets in the region can open.

    It is UTF-8 text with a byte order mark, separated by semicolons. `rows` have one value per
    column; they are read while the file is sent.
    """
    headings = [str(COLUMN_LABELS.get(name) or labels.FIELDS[name]) for name in columns]
    cells = ([_cell_text(*cell) for cell in zip(columns, row, strict=True)] for row in rows)
    return spreadsheets.csv_file_pieces(headings, cells)


def _cell_text(column: str, value: Any) -> str:
    """Return the value of a cell as text in the user's language; None as "".

    `column` is a field of the form or a key of COLUMN_LABELS.
    """
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return formats.moment(value).replace("\u00a0", " ")
    if isinstance(value, dt.date):
        return formats.date(value)
    if column == "state":
        return str(appeal_labels.STATES[value][0])
    if column in ("phone", "phone_at_hand"):
        return phone_numbers.grouped_number(value).removeprefix("+")
    return str(labels.VALUES.get(column, {}).get(value, value))
