"""How each operator's time was spent, counted a second time from exported rows."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from tests.reports.naive_rows import SITE_ZONE, is_incoming, parse_time, ratio


def seconds_between(begin, end):
    return max(0.0, (end - begin).total_seconds())


def talk_pieces(row, talk):
    """Return the intervals of a talk without the gaps of its call."""
    since, intervals = parse_time(talk["from"]), []
    for gap in sorted(row["gaps"], key=lambda gap: gap["from"]):
        if talk["from"] <= gap["from"] < talk["to"]:
            intervals.append((since, parse_time(gap["from"])))
            since = parse_time(gap["to"])
    return [*intervals, (since, parse_time(talk["to"]))]


def shift_minutes(shifts, login, begin, end):
    """Return the minutes that an operator's shifts cover on the site's clock, by their start."""
    minutes = set()
    begin, end = begin.astimezone(dt.UTC), end.astimezone(dt.UTC)
    for who, opens, closes, first, last in shifts:
        closing = dt.time.fromisoformat(closes)
        day = begin.astimezone(SITE_ZONE).date() - dt.timedelta(days=1)
        while who == login and day <= end.astimezone(SITE_ZONE).date():
            minute = dt.datetime.combine(day, dt.time.fromisoformat(opens), SITE_ZONE)
            while first <= day and (last is None or day <= last):
                if begin <= minute < end:
                    # in UTC, because comparing times in UTC is fast
                    minutes.add(minute.astimezone(dt.UTC))
                minute += dt.timedelta(minutes=1)
                if minute.time() == closing:
                    break
            day += dt.timedelta(days=1)
    return minutes


def rest_after_talks(talks, placed, ready, seconds, end):
    """Return the seconds after the talks in which an operator was ready and in no talk."""
    total = 0.0
    all_talks = {*talks, *placed}
    for ended in {till for since, till in talks if since < till}:
        if any(since <= ended < till for since, till in all_talks):
            continue
        for begin, till in ready:
            if begin <= ended < till:
                later_starts = [
                    since for since, till in all_talks if since > ended and since < till
                ]
                rule = ended + dt.timedelta(seconds=seconds)
                total += seconds_between(ended, min([till, rule, end, *later_starts]))
    return total


@dataclass
class OperatorCalls:
    """One operator's calls: intervals of talk without gaps, and from first to last second."""

    talks: list = field(default_factory=list)
    talk_spans: list = field(default_factory=list)
    call_ids: set = field(default_factory=set)
    placed: list = field(default_factory=list)
    placed_spans: list = field(default_factory=list)
    placed_ids: set = field(default_factory=set)
    missed_rings: int = 0


def calls_by_operator(rows):
    calls = defaultdict(OperatorCalls)
    for row in rows:
        for talk in row["talks"]:
            if talk["with"] == "operator" and talk["to"] and is_incoming(row):
                operator = calls[talk["who"]]
                operator.talks += talk_pieces(row, talk)
                operator.talk_spans.append((parse_time(talk["from"]), parse_time(talk["to"])))
                operator.call_ids.add(row["id"])
            if talk["with"] == "outside" and talk["to"] and is_placed(row):
                operator = calls[row["by"]]
                operator.placed += talk_pieces(row, talk)
                operator.placed_spans.append((parse_time(talk["from"]), parse_time(talk["to"])))
                operator.placed_ids.add(row["id"])
        for visit in row["queue_visits"] if is_incoming(row) else ():
            for ring in visit["rings"]:
                if ring["result"] == "no_answer":
                    calls[ring["operator"]].missed_rings += 1
    return calls


def is_placed(row):
    return row["direction"] == "outbound" and row["by"] and not row["synthetic"]


def state_stretches(changes, begin, end):
    """Return (state, reason, from, until) for each stretch inside the period."""
    stretches = []
    for place, (since, state, reason) in enumerate(changes, 1):
        until = changes[place][0] if place < len(changes) else end
        if max(since, begin) < min(until, end):
            stretches.append((state, reason, max(since, begin), min(until, end)))
    return stretches


def overlap_seconds(intervals, begin, end):
    return sum(seconds_between(max(begin, since), min(end, until)) for since, until in intervals)


def busy_seconds(talks, ready):
    """Return the seconds of ready time in talks; only stretches of the talk's days can overlap."""
    by_day = defaultdict(set)
    for begin, end in ready:
        for days in range((end.date() - begin.date()).days + 1):
            by_day[begin.date() + dt.timedelta(days=days)].add((begin, end))
    return sum(
        overlap_seconds(by_day[begin.date()] | by_day[end.date()], begin, end)
        for begin, end in talks
    )


def workload_lines(rows, states, shifts, wrap_up, begin, end):
    """Return how each operator's time was spent.

    `rows`: every call of the period; `states`: (login, since, state, reason) of all time, in order;
    `shifts`: (login, opens, closes, first day, last day or no value); `wrap_up`: seconds.
    """
    calls = calls_by_operator(rows)
    states_by_login = defaultdict(list)
    for login, since, state, reason in states:
        states_by_login[login].append((since, state, reason))
    lines = []
    for login in sorted({*calls, *states_by_login}):
        stretches = state_stretches(states_by_login[login], begin, end)
        if stretches or login in calls:
            planned = shift_minutes(shifts, login, begin, end)
            lines.append(
                {"operator": login}
                | workload_line(calls[login], stretches, wrap_up, end)
                | shift_figures(stretches, planned)
            )
    return lines


def workload_line(calls, stretches, wrap_up, end):
    def intervals(*names):
        return [(since, until) for state, _, since, until in stretches if state in names]

    talk_seconds = sum(seconds_between(*talk) for talk in calls.talks)
    outgoing_seconds = sum(seconds_between(*talk) for talk in calls.placed)
    ready = intervals("ready", "wrap_up")
    ready_seconds = sum(seconds_between(*stretch) for stretch in ready)
    all_talks = [*calls.talks, *calls.placed]
    busy = busy_seconds(all_talks, ready)
    rest = rest_after_talks(calls.talk_spans, calls.placed_spans, intervals("ready"), wrap_up, end)
    for since, until in intervals("wrap_up"):
        rest += seconds_between(since, until) - overlap_seconds(all_talks, since, until)
    handled = talk_seconds + outgoing_seconds + rest
    available = max(0.0, ready_seconds - busy - rest)
    occupancy = 100 * handled / (handled + available) if handled + available else None
    reasons = defaultdict(float)
    for state, reason, since, until in stretches:
        if state == "pause":
            reasons[reason] += seconds_between(since, until)
    return {
        "calls": len(calls.call_ids),
        "talk_seconds": talk_seconds,
        "outgoing": len(calls.placed_ids),
        "outgoing_seconds": outgoing_seconds,
        "ready_seconds": ready_seconds,
        "busy_seconds": busy,
        "pause_seconds": sum(seconds_between(*pause) for pause in intervals("pause")),
        "pauses": len(intervals("pause")),
        "pause_reasons": dict(reasons),
        "wrap_up_seconds": rest,
        "back_office_seconds": sum(seconds_between(*s) for s in intervals("back_office")),
        "missed_rings": calls.missed_rings,
        "handling": ratio(talk_seconds, len(calls.call_ids), 1),
        "occupancy": {"value": occupancy, "cases": len(calls.call_ids)},
    }


def shift_figures(stretches, planned):
    on_duty = [(since, until) for state, _, since, until in stretches if state != "off"]
    worked_minutes = sum(any(b <= minute < e for b, e in on_duty) for minute in planned)
    shift_count = sum(minute - dt.timedelta(minutes=1) not in planned for minute in planned)
    return {
        "planned_seconds": 60.0 * len(planned),
        "kept_seconds": 60.0 * worked_minutes,
        "shifts": shift_count,
        "adherence": {
            "value": 100 * worked_minutes / len(planned) if planned else None,
            "cases": shift_count,
        },
    }
