"""The telephony report on the page: filters, the lists behind its figures, its files."""

from collections.abc import Iterator
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext

from appliance.casework import appeals, catalogs, identity
from appliance.core import audit, clock, i18n, phone_numbers
from appliance.people import accounts, rights
from appliance.reports import (
    balance,
    call_filters,
    charts,
    counting,
    files,
    kpi,
    periods,
    telephony,
    words,
)
from appliance.reports.call_filters import CallFilter
from appliance.reports.periods import Period
from appliance.reports.shares import shares
from appliance.reports.telephony import callers, lines, pictures, queues, report, workload
from appliance.reports.telephony import calls as behind
from appliance.reports.telephony import words as texts
from appliance.reports.telephony.columns import COLUMNS
from appliance.reports.telephony.waits import LEVELS
from appliance.telephony import calls, followups, line_quality, routing
from appliance.telephony.calls import OUTCOMES as ALL_OUTCOMES
from appliance.web.calls.call import OWN_OUTCOMES
from appliance.web.calls.of_day import OUTCOMES
from appliance.web.reports.forms import Behind
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded

screen = Blueprint("analytics", __name__, url_prefix="/analytics")

TABS = (
    *call_filters.KEYS,
    "day",
    "hour",
    "queue",
    "wait",
    "callers",
    "transfers",
    "workload",
    "states",
    "rating",
)
PAGE = 50  # calls on one page


@screen.get("")
@may("report.read")
@heavy
def page() -> str:
    """The calls of some days (`from=01.10.2026&to=31.10.2026`), narrowed, by a table (`by`)."""
    call_filter, doubt = _cut()
    by = request.args.get("by", "")
    own = lines.own_fields(locale())
    tabs = {code: gettext(texts.TABLES[code]) for code in TABS if code != "callers" or _lead()}
    tabs |= {key: own[key] for key in lines.shown_of(call_filter)}
    by = by if by in tabs else "topic"
    seen = telephony.overview(site(), call_filter)
    total = seen.total
    level = seen.level
    return render_template(
        "analytics/page.html",
        call_filter=call_filter,
        doubt=doubt,
        by=by,
        seen=seen,
        total=total,
        part_of=lambda part, whole: 100 * part / whole if whole else None,
        shade=pictures.shading(seen.hours.weekdays.values()),
        days=pictures.days(call_filter.period, seen.hours, gettext, charts.BROAD),
        answers=pictures.answers(seen.waits, level, gettext),
        abandons=pictures.abandons(seen.waits, gettext),
        within=seen.waits.level(level, total.accepted),
        table=_table(seen, by),
        heard=line_quality.worst_first(call_filter.period.begin, call_filter.period.end)
        if by == "workload"
        else [],
        tabs_of=tabs,
        texts=texts,
        visit_results=queues.RESULTS,
        transfer_ends=queues.ENDS,
        queue_title=lambda name: routing.queue_title(name, gettext),
        names={code: gettext(name) for code, name in texts.FIGURES.items()},
        columns=COLUMNS,
        reasons={code: gettext(name) for code, name in texts.REASONS.items()}
        | catalogs.labels(catalogs.PAUSES, locale()),
        targets=(kpi.ASA_TARGET, kpi.SERVICE_TARGET),
        few=kpi.FEW,
        weekdays=words.load(locale()).weekdays,
        choices=_choices(call_filter),
        levels=sorted({*LEVELS, level}),
        **_balance(call_filter),
        text=words.load(locale()),
        ministry_locale="uz_Cyrl",
        link=_link,
        address=_address,
        kinds=files.KINDS,
        rows_of=_rows,
        is_parted=_is_parted,
        none_of=lambda call_filter: dict.fromkeys(call_filter.conditions),
    )


@screen.get("/calls")
@may("report.read")
@heavy
def listed() -> str:
    """The calls behind one figure, newest first."""
    call_filter, _ = _cut(outgoing=True)
    number = max(1, request.args.get("page", 1, bounded))
    count = behind.count(call_filter)
    rows = behind.page(call_filter, PAGE, (number - 1) * PAGE)
    if _lead():
        disclosure.log_shown("call", [row.call.id for row in rows], call_filter.conditions)
    return render_template(
        "analytics/calls.html",
        call_filter=call_filter,
        count=count,
        page=number,
        pages=max(1, -(-count // PAGE)),
        rows=rows,
        cards=appeals.calls_open_to(me(), [row.call.id for row in rows]),
        names=lines.names("operator", locale()),
        topics=lines.names("topic", locale()),
        regions=lines.names("region", locale()),
        outcomes=OUTCOMES | OWN_OUTCOMES,
        call_languages=CALL_LANGUAGES,
        asked=_worded(call_filter),
        whole=_lead(),
        link=_link,
        address=_address,
    )


@screen.get("/telephony.<any(pdf, xlsx, csv, json):kind>")
@may("report.read")
@heavy
def download(kind: str) -> Response:
    """The whole report as a file, in the language `lang`; that it was taken is written down."""
    call_filter, doubt = _cut()
    language = request.args.get("lang", "uz_Cyrl")
    if doubt or language not in i18n.LOCALES:
        abort(400)
    made = report.build(site(), call_filter, language)
    file = files.file_name("telephony", made, kind)
    audit.record(
        me().login, "report.download", "telephony", file=file, asked=dict(call_filter.conditions)
    )
    return Response(
        files.render("telephony", made, kind),
        mimetype=files.KINDS[kind],
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


@screen.get("/calls.csv")
@may("report.read")
@heavy
def every() -> Response:
    """All calls of a filter as CSV, sent while they are read, with the columns the role may see."""
    call_filter, doubt = _cut(outgoing=True)
    if doubt:
        abort(400)
    file = f"qongiroqlar_{call_filter.period.first}_{call_filter.period.last}.csv"
    audit.record(me().login, "calls.export", file, asked=dict(call_filter.conditions))
    columns = [c for c in behind.COLUMNS if _lead() or c not in behind.PERSONAL]

    def pieces() -> Iterator[bytes]:
        yield "\ufeff".encode()  # tells office programs what it is
        for piece in behind.as_csv(call_filter, columns):
            yield piece.encode()

    return Response(
        stream_with_context(pieces()),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


def _lead() -> bool:
    return rights.has(me(), "number.read")


def _cut(*, outgoing: bool = False) -> tuple[CallFilter, bool]:
    """The filter that the address asks for, and whether its days could not be understood.

    `outgoing`: it may be one of outgoing calls.
    """
    period, doubt = _period()
    args = [(name, value) for name, value in request.args.items() if name not in ("from", "to")]
    if not _lead():  # who called is not his to ask
        args = [(name, value) for name, value in args if name not in ("caller", "task")]
    if not outgoing:
        args = [(name, value) for name, value in args if name != "direction"]
    calendar = catalogs.working_calendar(site())
    return call_filters.from_address(period, args, calendar), doubt


def _period() -> tuple[Period, bool]:
    """The days of the address, the running month where it names none or no possible ones."""
    tz = site().tz
    today = clock.now().astimezone(tz).date()
    running = Period(today.replace(day=1), today, tz)
    begins, ends = (request.args.get(name, "").strip() for name in ("from", "to"))
    first, last = identity.day(begins), identity.day(ends)
    if (begins and not first) or (ends and not last) or (first and last and first > last):
        return running, True
    first = first or (last or today).replace(day=1)
    try:
        return Period(first, last or max(first, today), tz), False
    except periods.PeriodError:
        return running, True


def _address(call_filter: CallFilter, **more: Any) -> dict[str, Any]:
    """The arguments of an address that asks for this filter."""
    days = {
        "from": f"{call_filter.period.first:%d.%m.%Y}",
        "to": f"{call_filter.period.last:%d.%m.%Y}",
    }
    return days | dict(call_filter.conditions) | more


def _link(call_filter: CallFilter, **asked: Any) -> str:
    """The address of the calls behind a figure."""
    return url_for("analytics.listed", **_address(call_filter.with_(**asked)))


def _table(seen: telephony.Overview, by: str) -> Any:
    """What the open tab shows."""
    call_filter, level = seen.call_filter, seen.level
    if _is_parted(by):
        return lines.lines(call_filter, level, by, locale())
    if by == "day":
        return seen.hours.days.items()
    if by == "hour":
        return sorted(seen.hours.hours.items())
    if by == "queue":
        return queues.visits(call_filter)
    if by == "transfers":
        return queues.handed(call_filter)
    if by in ("workload", "states"):
        return workload.count(call_filter, clock.now(), routing.wrap_ups(site()))
    if by == "callers":
        if not _lead():
            return None
        found = callers.count(call_filter)
        disclosure.log_shown("number", [one.number for one in found.top], call_filter.conditions)
        return found
    return None


def _is_parted(by: str) -> bool:
    """Whether a table parts the calls by what they are counted under."""
    return by in call_filters.KEYS or by not in TABS


def _rows(table: Any, by: str, call_filter: CallFilter) -> list[tuple[str, Any, Any, CallFilter]]:
    """(name, share, tally, the filter of these calls) of each line of a table of tallies."""
    if _is_parted(by):
        return [
            (one.name, one.share, one.tally, call_filter.with_(**{by: one.key})) for one in table
        ]
    found = list(table)
    parts = shares([tally.incoming for _, tally in found])
    if by == "day":
        keys = [(f"{day:%d.%m.%Y}", call_filter.on(day, day)) for day, _ in found]
    else:
        keys = [(f"{hour:02}:00", call_filter.with_(hour=hour)) for hour, _ in found]
    return [
        (name, share, tally, part)
        for (name, part), share, (_, tally) in zip(keys, parts, found, strict=True)
    ]


def _choices(call_filter: CallFilter) -> dict[str, dict[str, str]]:
    """Filter → the values to choose from, with their names."""
    whole = call_filter.with_(**dict.fromkeys(call_filter.conditions))
    trunks, numbers = behind.dialled(whole)
    return {
        "number": {number: phone_numbers.grouped(number) for number in numbers},
        "trunk": {trunk: trunk for trunk in trunks},
        "language": {code: str(name) for code, name in CALL_LANGUAGES.items()},
        "topic": dict(lines.names("topic", locale())),
        "call_type": dict(lines.names("call_type", locale())),
        "region": dict(lines.names("region", locale())),
        "operator": accounts.operator_names(locale()),
    }


def _balance(call_filter: CallFilter) -> dict[str, object]:
    """The balance of all inbound calls of the period, its sum, and the difference."""
    found = calls.balance(call_filter.period.begin, call_filter.period.end)
    text = words.load(locale()).balance
    others = counting.others(call_filter.period)
    return {
        "balance": balance.line(found, others, clock.now(), call_filter.period.tz, text),
        "sums": Behind(call_filter.period).sums(found, others),
        "difference": found.difference,
    }


def _worded(call_filter: CallFilter) -> list[tuple[str, str]]:
    """What is asked of the calls, for people to read."""
    found = []
    own = lines.own_fields(locale())
    for name, value in call_filter.conditions.items():
        if name in texts.DIMENSIONS or name in own:
            known = lines.names(name, locale())
            without = gettext(texts.WITHOUT.get(name, texts.NOT_GIVEN))
            shown = (
                without
                if value == call_filters.NONE
                else known.get(value, phone_numbers.grouped(value))
            )
            found.append((own.get(name) or gettext(texts.DIMENSIONS[name]), shown))
        elif name == "outcome" and value in (*ALL_OUTCOMES, "open"):
            found.append((gettext(texts.CONDITIONS[name]), str(OUTCOMES[value][0])))
        elif name == "time":
            shown = value.removeprefix("!").replace("-", "–").replace(",", ", ")
            other = gettext("outside %(times)s", times=shown)
            found.append((gettext(texts.CONDITIONS[name]), other if value[0] == "!" else shown))
        elif name == "days":
            days = periods.read(value, call_filter.period.tz)
            shown = ", ".join(f"{day.first:%d.%m.%Y}–{day.last:%d.%m.%Y}" for day in days)
            found.append((gettext(texts.CONDITIONS[name]), shown))
        elif name == "weekday":
            found.append(
                (gettext(texts.CONDITIONS[name]), words.load(locale()).weekdays[int(value) - 1])
            )
        elif name in ("wait", "times"):
            low, _, high = value.partition("-")
            shown = f"{low or 0}–{high}" if high else f"{low or 0}+"
            found.append((gettext(texts.CONDITIONS[name]), shown))
        elif name in ("spoke", "placed", "unanswered"):
            known = lines.names("operator", locale())
            found.append((gettext(texts.CONDITIONS[name]), known.get(value, value)))
        elif name == "task" and (task := followups.task(me(), int(value))):
            found.append((gettext(texts.CONDITIONS[name]), phone_numbers.grouped(task.number)))
        elif name == "caller":
            shown = gettext(texts.VALUES["hidden"]) if value == call_filters.NONE else value
            found.append((gettext(texts.CONDITIONS[name]), phone_numbers.grouped(shown)))
        elif value.isdecimal() and name not in call_filters.FLAGS:
            found.append((gettext(texts.CONDITIONS[name]), value))
        else:
            parts = [part for part in value.split(":") if part]
            shown = ", ".join(gettext(texts.VALUES.get(part, part)) for part in parts)
            found.append((gettext(texts.CONDITIONS[name]), shown))
    return found
