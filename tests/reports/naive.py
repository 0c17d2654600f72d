"""The figures counted a second time, as simply as possible, from exported rows alone.

Shares nothing with appliance/reports: neither code nor constants. A row is one object of `ledger
export` (naive_rows.py).
"""

from collections import Counter, defaultdict
from fractions import Fraction

from tests.reports.naive_rows import is_incoming, local_arrival, parse_time, ratio
from tests.reports.naive_workload import workload_lines

BOUNDS_SECONDS = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300]


def percentages(counts):
    """Return percentages in tenths that add up to 100.0, largest remainders rounded up first."""
    total = sum(counts)
    if not total:
        return [None for _ in counts]
    exact = [Fraction(count * 1000, total) for count in counts]
    floors = [int(e) for e in exact]
    while sum(floors) < 1000:
        remainders = [e - f for e, f in zip(exact, floors, strict=True)]
        floors[remainders.index(max(remainders))] += 1
    return [floor / 10 for floor in floors]


def tally_calls(rows, appeals, level):
    answered = [row for row in rows if row["outcome"] == "answered"]
    in_queue = [row for row in answered if row["wait_seconds"] is not None]
    waits = sum(row["wait_seconds"] for row in in_queue)
    menus = sum(row["menu_seconds"] for row in in_queue)
    queued = [row for row in rows if row["wait_seconds"] is not None and not row["short"]]
    gone = [row for row in rows if row["outcome"] == "abandoned_queue" and not row["short"]]
    short = [row for row in rows if row["outcome"] == "abandoned_queue" and row["short"]]
    quick = [row for row in in_queue if row["wait_seconds"] <= level]
    rating_requests = [row for row in answered if row["ended_by"] == "operator"]
    marks = [row["rating"] for row in answered if row["rating"] is not None]
    talk = sum(row["talk_seconds"] for row in answered)
    hold = sum(row["hold_seconds"] for row in answered)
    return {
        "incoming": len(rows),
        "accepted": len(answered),
        "missed": sum(row["outcome"] not in ("answered", None) for row in rows),
        "open": sum(row["outcome"] is None for row in rows),
        "joined": len(queued),
        "abandoned": len(gone),
        "short": len(short),
        "talk_seconds": talk,
        "hold_seconds": hold,
        "registered": sum(row["id"] in appeals for row in rows),
        "transferred": sum(bool(row["transfers"]) for row in rows),
        "answer_speed": ratio(waits, len(in_queue), 1),
        "answer_speed_from_arrival": ratio(menus + waits, len(in_queue), 1),
        "service_level": ratio(len(quick), len(answered) + len(gone)),
        "abandon_rate": ratio(len(gone), len(queued)),
        "talk": ratio(talk, len(answered), 1),
        "handling": ratio(talk + hold, len(answered), 1),
        "marks": [marks.count(mark) for mark in (1, 2, 3, 4, 5)],
        "rating": ratio(sum(marks), len(marks), 1),
        "rating_response": ratio(
            sum(row["rating"] is not None for row in rating_requests), len(rating_requests)
        ),
    }


def tallies_by_key(rows, appeals, level, key):
    parts = defaultdict(list)
    for row in rows:
        parts[key(row)].append(row)
    return {group: tally_calls(part, appeals, level) for group, part in parts.items()}


def counting_key(name, appeals, forms):
    """Return the function that gives the key under which a call is counted."""

    def first_operator(row):
        spoke = [talk["who"] for talk in row["talks"] if talk["with"] == "operator"]
        return spoke[0] if spoke else "-"

    def registered_value(column, otherwise):
        def find_value(row):
            for registered in (forms.get(row["id"]), appeals.get(row["id"])):
                if registered and registered[0].get(column):
                    return registered[0][column]
            return otherwise(row) or "-"

        return find_value

    def direction_by_ledger(row):
        handed_on = any(talk["with"] == "employee" for talk in row["talks"])
        return "transferred" if handed_on else "incoming"

    def request_kind(row):
        appeal = (appeals.get(row["id"]) or [{}])[0]
        if appeal.get("appeal_type") in ("application", "complaint", "proposal"):
            return appeal["appeal_type"]
        call_type = registered_value("call_type", lambda row: None)(row)
        if call_type in ("-", "appeal"):
            return "-"
        if call_type in ("question", "consultation", "status"):
            return "question"
        return call_type if call_type in ("complaint", "proposal") else "other"

    return {
        "topic": registered_value("direction", lambda row: row["topic"]),
        "call_type": registered_value("call_type", lambda row: None),
        "request_kind": request_kind,
        "call_direction": registered_value("call_direction", direction_by_ledger),
        "region": registered_value("region", lambda row: None),
        "operator": first_operator,
        "trunk": lambda row: row["trunk"] or "-",
        "number": lambda row: row["diverted_from"] or row["hotline_number"] or "-",
        "language": lambda row: row["language"] or "-",
    }[name]


def rows_by_call(appeals):
    """Return call → its appeals, or its forms №2, the lowest number first."""
    grouped = defaultdict(list)
    for appeal in sorted(appeals, key=lambda appeal: appeal["number"]):
        if appeal["call_id"]:
            grouped[appeal["call_id"]].append(appeal)
    return grouped


def wait_buckets(rows):
    buckets = [{"answered": 0, "abandoned": 0, "left": 0} for _ in range(len(BOUNDS_SECONDS) + 1)]
    for row in rows:
        if row["wait_seconds"] is None:
            continue
        place = 0
        while place < len(BOUNDS_SECONDS) and row["wait_seconds"] > BOUNDS_SECONDS[place]:
            place += 1
        kind = {"answered": "answered", "abandoned_queue": "abandoned"}
        buckets[place][kind.get(row["outcome"], "left")] += 1
    edges = [None, *BOUNDS_SECONDS, None]
    for place, bucket in enumerate(buckets):
        bucket |= {"from": edges[place], "to": edges[place + 1]}
    return buckets


def abandon_curve(rows):
    joined = [row for row in rows if row["wait_seconds"] is not None]
    gone = [row["wait_seconds"] for row in joined if row["outcome"] == "abandoned_queue"]
    return [
        {
            "seconds": seconds,
            "share": 100 * sum(wait <= seconds for wait in gone) / len(joined) if joined else None,
        }
        for seconds in BOUNDS_SECONDS
    ]


def caller_figures(rows):
    times = Counter(row["caller"] for row in rows if row["caller"])
    often = []
    for low, high in ((1, 1), (2, 2), (3, 3), (4, 5), (6, 9), (10, None)):
        fit = [n for n in times.values() if n >= low and (high is None or n <= high)]
        often.append({"low": low, "high": high, "callers": len(fit), "calls": sum(fit)})
    return {
        "often": often,
        "hidden": sum(not row["caller"] for row in rows),
        "repeated": sum(n for n in times.values() if n > 1),
    }


def queue_lines(rows):
    by_queue = {}
    for row in rows:
        for visit in row["queue_visits"]:
            counts = by_queue.setdefault(visit["queue"], {"visits": 0, "open": 0, "waits": []})
            counts["visits"] += 1
            if visit["result"] is None:
                counts["open"] += 1
                continue
            counts[visit["result"]] = counts.get(visit["result"], 0) + 1
            if visit["result"] == "answered":
                wait = parse_time(visit["left_at"]) - parse_time(visit["joined_at"])
                counts["waits"].append(wait.total_seconds())
    results = ("answered", "abandoned", "overflow", "callback", "timed_out", "failed")
    return [
        {
            "queue": name,
            "visits": counts["visits"],
            "open": counts["open"],
            **{result: counts.get(result, 0) for result in results},
            "wait": ratio(sum(counts["waits"]), len(counts["waits"]), 1),
        }
        for name, counts in sorted(by_queue.items())
    ]


def transfer_lines(rows):
    all_transfers = [transfer for row in rows for transfer in row["transfers"]]
    lines = []
    for kind in ("blind", "attended", "automatic"):
        of_kind = [transfer for transfer in all_transfers if transfer["kind"] == kind]
        ends = Counter(transfer["result"] for transfer in of_kind)
        lines.append(
            {
                "kind": kind,
                "transfers": len(of_kind),
                "open": ends[None],
                **{end: ends[end] for end in ("answered", "busy", "no_answer", "failed")},
                "returned": sum(transfer["returned"] for transfer in of_kind),
            }
        )
    return lines


def telephony_figures(
    rows, appeals, forms, states, shifts, wrap_up, level, begin, end, is_selected=lambda row: True
):
    """Return all of `report telephony --format json` except names, balance and head."""
    appeals_by_call, forms_by_call = rows_by_call(appeals), rows_by_call(forms)
    incoming = [row for row in rows if is_incoming(row) and is_selected(row)]
    hours = tallies_by_key(
        incoming,
        appeals_by_call,
        level,
        lambda row: (local_arrival(row).isoweekday(), local_arrival(row).hour),
    )
    days = tallies_by_key(
        incoming, appeals_by_call, level, lambda row: local_arrival(row).date().isoformat()
    )
    return {
        "total": tally_calls(incoming, appeals_by_call, level),
        "line_quality": [],
        "by_weekday_and_hour": [
            {"weekday": weekday, "hour": hour} | figures
            for (weekday, hour), figures in sorted(hours.items())
        ],
        "by_day": [{"date": day} | figures for day, figures in sorted(days.items())],
        **{
            f"by_{name}": tallies_by_key(
                incoming, appeals_by_call, level, counting_key(name, appeals_by_call, forms_by_call)
            )
            for name in (
                *("topic", "call_type", "request_kind", "call_direction", "region"),
                *("operator", "trunk", "number", "language"),
            )
        },
        "waits": wait_buckets(incoming),
        "abandon_curve": abandon_curve(incoming),
        "queues": queue_lines(incoming),
        "transfers": transfer_lines(incoming),
        "callers": caller_figures(incoming),
        "workload": workload_lines(rows, states, shifts, wrap_up, begin, end),
    }


def form_share(rows, forms):
    """Return how many accepted calls are on form №2, and their share."""
    on_form = {form["call_id"] for form in forms}
    answered = [r for r in rows if is_incoming(r) and r["outcome"] == "answered"]
    registered = [row for row in answered if row["id"] in on_form]
    return {
        "accepted": len(answered),
        "registered": len(registered),
        "share": ratio(len(registered), len(answered))["value"],
    }


def act_lines(rows, tariffs):
    """Return (direction, trunk, number, tariff) → calls, talk and billed seconds, tiyin."""
    lines = defaultdict(lambda: [0, 0.0, 0, 0])
    for row in rows:
        if row["outcome"] != "answered" or row["synthetic"] or row["direction"] == "internal":
            continue
        number = ""
        if row["direction"] == "inbound":
            number = row["diverted_from"] or row["hotline_number"] or ""
        trunk, day = row["trunk"] or "", local_arrival(row).date()
        fit = [
            t
            for t in tariffs
            if t["direction"] == row["direction"]
            and t["from"] <= day
            and (t["to"] is None or t["to"] >= day)
            and t["trunk"] in ("", trunk)
            and t["number"] in ("", number)
        ]
        fit.sort(key=lambda t: (bool(t["trunk"]), bool(t["number"]), t["from"]))
        tariff = fit[-1] if fit else None
        thousandths = round(row["talk_seconds"] * 1000)
        seconds = thousandths // 1000 + bool(thousandths % 1000)
        if tariff and tariff["rounding"] == "minute":
            seconds = (thousandths // 60_000 + bool(thousandths % 60_000)) * 60
        cost = 0
        if tariff:
            exact = Fraction(seconds * tariff["price"], 60)
            cost = int(exact + Fraction(1, 2))
            cost = tariff["price"] if tariff["rounding"] == "call" else cost
        line = lines[row["direction"], trunk, number, tariff["id"] if tariff else None]
        for place, more in enumerate((1, row["talk_seconds"], seconds, cost)):
            line[place] += more
    return dict(lines)


def weekday_table(moments, off, opens=9, closes=18):
    """Return form №2's table: [(inside, outside)] from Monday; `off`: date → is it worked."""
    table = [[0, 0] for _ in range(7)]
    for at in moments:
        day = at.date()
        works = off.get(day, day.isoweekday() <= 5)
        table[day.isoweekday() - 1][0 if works and opens <= at.hour < closes else 1] += 1
    return table


def list_lines(appeals, column, order):
    """Return (code, count, share) in the form's order; a row without code counts the rest."""
    codes = [a[column] if a[column] in order else None for a in appeals]
    rows = [*order, None] if None in codes else list(order)
    counts = [len([code for code in codes if code == row]) for row in rows]
    return [list(line) for line in zip(rows, counts, percentages(counts), strict=True)]


def shift_counts(rows, shifts):
    """Return [incoming, accepted] per (opens, closes), then for calls outside all shifts."""
    table = [[0, 0] for _ in [*shifts, None]]
    for row in rows:
        if is_incoming(row):
            time = local_arrival(row).strftime("%H:%M")
            within = [
                number
                for number, (opens, closes) in enumerate(shifts)
                if (opens <= time < closes)
                or (closes <= opens and (time >= opens or time < closes))
            ]
            for number in within or [len(shifts)]:
                table[number][0] += 1
                table[number][1] += row["outcome"] == "answered"
    return table


def recovered_calls(rows, later):
    """Return the missed calls with a talk within seven days, and the mean seconds to it.

    `later`: every call of the period and of the seven days after it.
    """
    talk_times = defaultdict(list)
    for row in later:
        if row["outcome"] == "answered" and not row["synthetic"]:
            number = {"inbound": row["caller"], "outbound": row["callee"]}.get(row["direction"])
            if number:
                talk_times[number].append(parse_time(row["arrived_at"]))
    waits = []
    for row in rows:
        if not is_incoming(row) or row["outcome"] in ("answered", None) or not row["caller"]:
            continue
        at = parse_time(row["arrived_at"])
        after = [(m - at).total_seconds() for m in talk_times[row["caller"]] if m > at]
        if after and min(after) <= 7 * 86400:
            waits.append(min(after))
    return len(waits), sum(waits) / len(waits) if waits else None


def quarterly_figures(rows, later):
    """Table 1 of report form №1."""
    some = [row for row in rows if is_incoming(row)]
    answered = [row for row in some if row["outcome"] == "answered"]
    out = [row for row in rows if row["direction"] == "outbound" and not row["synthetic"]]
    talk = sum(row["talk_seconds"] for row in answered)
    count, average = recovered_calls(rows, later)
    return {
        "incoming": len(some),
        "accepted": len(answered),
        "missed": sum(row["outcome"] not in ("answered", None) for row in some),
        "self_served": sum(row["outcome"] == "self_served" for row in some),
        "closed": sum(row["outcome"] == "closed" for row in some),
        "talk_seconds_total": talk,
        "talk_seconds_average": talk / len(answered),
        "outgoing": len(out),
        "outgoing_answered": sum(row["outcome"] == "answered" for row in out),
        "recovered": count,
        "recovered_seconds_average": average,
    }


def request_counts(rows, begin, end):
    """Return kind → [carried, new, in time, late, open, overdue].

    A row has the kind, the times `asked` and `due`, and the moves: (time, done or reopened) in
    order.
    """
    table = {}
    for row in rows:
        counts = table.setdefault(row["kind"], [0] * 6)
        done = None
        for moment, is_done in row["moves"]:
            if moment < end:
                done = moment if is_done else None
        new = begin <= row["asked"] < end
        old = row["asked"] < begin and not (done and done < begin)
        if not (new or old):
            continue
        counts[1 if new else 0] += 1
        if done:
            counts[2 if done <= row["due"] else 3] += 1
        else:
            counts[4 if end <= row["due"] else 5] += 1
    return table
