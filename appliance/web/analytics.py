"""The telephony report on the page: cuts of the calls, the lists behind its figures, its files."""

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

from appliance import audit, calls, catalogs, clock, i18n, identity
from appliance.calls import OUTCOMES as ALL_OUTCOMES
from appliance.models import Call, FollowUp, User
from appliance.reports import balance, cuts, files, kpi, periods, telephony, words
from appliance.reports.cuts import Cut
from appliance.reports.periods import Period
from appliance.reports.shares import shares
from appliance.reports.telephony import callers, lines, pictures, queues, report, workload
from appliance.reports.telephony import calls as behind
from appliance.reports.telephony import words as texts
from appliance.reports.telephony.waits import LEVELS
from appliance.web.access import may, role
from appliance.web.call import OWN_OUTCOMES, open_to
from appliance.web.calls import LANGUAGES, OUTCOMES
from appliance.web.context import me, site
from appliance.web.language import locale
from appliance.web.reports import Behind

screen = Blueprint("analytics", __name__, url_prefix="/analytics")

READERS = ("ministry", "supervisor", "manager")
LEADS = ("supervisor", "manager")  # may see callers' numbers
TABS = (*cuts.KEYS, "day", "hour", "queue", "wait", "callers", "transfers", "workload", "rating")
CHOSEN = ("number", "trunk", "language", "topic", "region", "operator")  # filters of the page
PAGE = 50  # calls on one page


@screen.get("")
@may(*READERS)
def page() -> str:
    """The calls of some days (`from=01.10.2026&to=31.10.2026`), narrowed, by a table (`by`)."""
    cut, doubt = _cut()
    by = request.args.get("by", "")
    by = by if by in TABS else "topic"
    seen = telephony.overview(site(), cut)
    total = seen.total
    level = seen.level
    return render_template(
        "analytics/page.html",
        cut=cut,
        doubt=doubt,
        by=by,
        seen=seen,
        total=total,
        part_of=lambda part, whole: 100 * part / whole if whole else None,
        shade=pictures.shading(seen.hours.weekdays.values()),
        days=pictures.days(cut.period, seen.hours, gettext),
        answers=pictures.answers(seen.waits, level, gettext),
        abandons=pictures.abandons(seen.waits, gettext),
        within=seen.waits.level(level, total.accepted),
        table=_table(seen, by),
        tabs_of={code: texts.TABLES[code] for code in TABS if code != "callers" or _lead()},
        texts=texts,
        names={code: gettext(name) for code, name in texts.FIGURES.items()},
        targets=(kpi.ASA_TARGET, kpi.SERVICE_TARGET),
        few=kpi.FEW,
        weekdays=words.load(locale()).weekdays,
        choices=_choices(cut),
        levels=sorted({*LEVELS, level}),
        **_balance(cut),
        text=words.load(locale()),
        ministry_locale="uz_Cyrl",
        link=_link,
        address=_address,
        kinds=files.KINDS,
        rows_of=_rows,
        none_of=lambda cut: dict.fromkeys(cut.asked),
    )


@screen.get("/calls")
@may(*READERS)
def listed() -> str:
    """The calls behind one figure, newest first."""
    cut, _ = _cut(outgoing=True)
    number = max(1, request.args.get("page", 1, int))
    count = behind.count(cut)
    rows = behind.page(cut, PAGE, (number - 1) * PAGE)
    return render_template(
        "analytics/calls.html",
        cut=cut,
        count=count,
        page=number,
        pages=max(1, -(-count // PAGE)),
        rows=rows,
        cards=open_to(me(), [row.call.id for row in rows]),
        names=lines.names("operator", locale()),
        topics=lines.names("topic", locale()),
        regions=lines.names("region", locale()),
        outcomes=OUTCOMES | OWN_OUTCOMES,
        call_languages=LANGUAGES,
        asked=_worded(cut),
        whole=_lead(),
        link=_link,
        address=_address,
    )


@screen.get("/telephony.<any(pdf, xlsx, csv, json):kind>")
@may(*READERS)
def download(kind: str) -> Response:
    """The whole report as a file, in the language `lang`; that it was taken is written down."""
    cut, doubt = _cut()
    language = request.args.get("lang", "uz_Cyrl")
    if doubt or language not in i18n.LOCALES:
        abort(400)
    made = report.build(site(), cut, language)
    file = files.file_name("telephony", made, kind)
    audit.record(me().login, "report.download", "telephony", file=file, asked=dict(cut.asked))
    return Response(
        files.render("telephony", made, kind),
        mimetype=files.KINDS[kind],
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


@screen.get("/calls.csv")
@may(*READERS)
def every() -> Response:
    """All calls of a cut as CSV, sent while they are read, with the columns the role may see."""
    cut, doubt = _cut(outgoing=True)
    if doubt:
        abort(400)
    file = f"qongiroqlar_{cut.period.first}_{cut.period.last}.csv"
    audit.record(me().login, "calls.export", file, asked=dict(cut.asked))
    columns = [c for c in behind.COLUMNS if _lead() or c not in behind.PERSONAL]

    def pieces() -> Iterator[bytes]:
        yield "\ufeff".encode()  # tells office programs what it is
        for piece in behind.as_csv(cut, columns):
            yield piece.encode()

    return Response(
        stream_with_context(pieces()),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


def _lead() -> bool:
    return role() in LEADS


def _cut(*, outgoing: bool = False) -> tuple[Cut, bool]:
    """The cut that the address asks for, and whether its days could not be understood.

    `outgoing`: it may be one of outgoing calls.
    """
    tz = site().tz
    today = clock.now().astimezone(tz).date()
    given = [request.args.get(name, "").strip() for name in ("from", "to")]
    first, last = (identity.born(text) if text else None for text in given)
    doubt = any(text and not day for text, day in zip(given, (first, last), strict=True))
    if not doubt and first and last and first > last:
        doubt = True
    if doubt or not first:
        first = (last if last and not doubt else today).replace(day=1)
    if doubt or not last or last < first:
        last = max(first, today)
    args = [(name, value) for name, value in request.args.items() if name not in ("from", "to")]
    if not _lead():  # who called is not his to ask
        args = [(name, value) for name, value in args if name not in ("caller", "task")]
    if not outgoing:
        args = [(name, value) for name, value in args if name != "direction"]
    calendar = catalogs.working_calendar(site())
    return cuts.asked_of(Period(first, last, tz), args, calendar), doubt


def _address(cut: Cut, **more: Any) -> dict[str, Any]:
    """The arguments of an address that asks for this cut."""
    days = {"from": f"{cut.period.first:%d.%m.%Y}", "to": f"{cut.period.last:%d.%m.%Y}"}
    return days | dict(cut.asked) | more


def _link(cut: Cut, **asked: Any) -> str:
    """The address of the calls behind a figure."""
    return url_for("analytics.listed", **_address(cut.with_(**asked)))


def _table(seen: telephony.Overview, by: str) -> Any:
    """What the open tab shows."""
    cut, level = seen.cut, seen.level
    if by in cuts.KEYS:
        return lines.lines(cut, level, by, locale())
    if by == "day":
        return seen.hours.days.items()
    if by == "hour":
        return sorted(seen.hours.hours.items())
    if by == "queue":
        return queues.visits(cut)
    if by == "transfers":
        return queues.handed(cut)
    if by == "workload":
        return workload.count(cut, clock.now())
    if by == "callers":
        return callers.count(cut) if _lead() else None
    return None


def _rows(table: Any, by: str, cut: Cut) -> list[tuple[str, Any, Any, Cut]]:
    """(name, share, tally, the cut of these calls) of each line of a table of tallies."""
    if by in cuts.KEYS:
        return [(one.name, one.share, one.tally, cut.with_(**{by: one.key})) for one in table]
    found = list(table)
    parts = shares([tally.incoming for _, tally in found])
    if by == "day":
        keys = [(f"{day:%d.%m.%Y}", cut.on(day, day)) for day, _ in found]
    else:
        keys = [(f"{hour:02}:00", cut.with_(hour=hour)) for hour, _ in found]
    return [
        (name, share, tally, part)
        for (name, part), share, (_, tally) in zip(keys, parts, found, strict=True)
    ]


def _choices(cut: Cut) -> dict[str, dict[str, str]]:
    """Filter → the values to choose from, with their names."""
    whole = cut.with_(**dict.fromkeys(cut.asked))
    dialled = cuts.number(whole)
    found = Call.select(Call.trunk, dialled).where(*whole.where).distinct().tuples()
    trunks, numbers = (sorted({row[n] for row in found if row[n]}) for n in (0, 1))
    operators = User.select(User.login, User.name).where(User.role == "operator")
    return {
        "number": {number: identity.grouped(number) for number in numbers},
        "trunk": {trunk: trunk for trunk in trunks},
        "language": {code: str(name) for code, name in LANGUAGES.items()},
        "topic": dict(lines.names("topic", locale())),
        "region": dict(lines.names("region", locale())),
        "operator": dict(operators.order_by(User.name).tuples()),
    }


def _balance(cut: Cut) -> dict[str, object]:
    """The balance of all inbound calls of the period, its sum, and the difference."""
    found = calls.balance(cut.period.begin, cut.period.end)
    text = words.load(locale()).balance
    others = report.beside(cut.period)
    return {
        "balance": balance.counted_line(found, others, clock.now(), cut.period.tz, text),
        "sums": Behind(cut.period).sums(found, others),
        "difference": found.difference,
    }


def _worded(cut: Cut) -> list[tuple[str, str]]:
    """What is asked of the calls, for people to read."""
    found = []
    for name, value in cut.asked.items():
        if name in texts.DIMENSIONS:
            known = lines.names(name, locale())
            without = gettext(texts.WITHOUT[name])
            shown = without if value == cuts.NONE else known.get(value, identity.grouped(value))
            found.append((gettext(texts.DIMENSIONS[name]), shown))
        elif name == "outcome" and value in (*ALL_OUTCOMES, "open"):
            found.append((gettext(texts.ASKED[name]), str(OUTCOMES[value][0])))
        elif name == "time":
            shown = value.removeprefix("!").replace("-", "–").replace(",", ", ")
            other = gettext("outside %(times)s", times=shown)
            found.append((gettext(texts.ASKED[name]), other if value[0] == "!" else shown))
        elif name == "days":
            days = periods.stretches(value, cut.period.tz)
            shown = ", ".join(f"{day.first:%d.%m.%Y}–{day.last:%d.%m.%Y}" for day in days)
            found.append((gettext(texts.ASKED[name]), shown))
        elif name == "weekday":
            found.append(
                (gettext(texts.ASKED[name]), words.load(locale()).weekdays[int(value) - 1])
            )
        elif name in ("wait", "times"):
            low, _, high = value.partition("-")
            shown = f"{low or 0}–{high}" if high else f"{low or 0}+"
            found.append((gettext(texts.ASKED[name]), shown))
        elif value.isdecimal() and name not in cuts.FLAGS:
            found.append((gettext(texts.ASKED[name]), value))
        elif name in ("spoke", "placed", "unanswered"):
            known = lines.names("operator", locale())
            found.append((gettext(texts.ASKED[name]), known.get(value, value)))
        elif name == "task":
            task = FollowUp.get_by_id(int(value))
            found.append((gettext(texts.ASKED[name]), identity.grouped(task.number)))
        elif name == "caller":
            shown = gettext(texts.VALUES["hidden"]) if value == cuts.NONE else value
            found.append((gettext(texts.ASKED[name]), identity.grouped(shown)))
        else:
            parts = [part for part in value.split(":") if part]
            shown = ", ".join(gettext(texts.VALUES.get(part, part)) for part in parts)
            found.append((gettext(texts.ASKED[name]), shown))
    return found
