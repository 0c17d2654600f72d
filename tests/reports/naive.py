"""The figures counted a second time, as plainly as can be, from exported rows alone.

Shares nothing with appliance/reports: neither code nor constants. A row is one object of
`ledger export`; moments are read from their texts; the site's clock is UTC+5.
"""

import datetime as dt
from collections import Counter, defaultdict
from fractions import Fraction

SITE = dt.timezone(dt.timedelta(hours=5))
BOUNDS = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300]


def moment(text):
    return dt.datetime.fromisoformat(text)


def local(row):
    return moment(row["arrived_at"]).astimezone(SITE)


def is_incoming(row):
    real = row["direction"] == "inbound" and not row["synthetic"]
    return real and row["outcome"] != "rejected"


def ratio(part, whole, of=100):
    return {"value": of * part / whole if whole else None, "cases": whole}


def percentages(counts):
    """Tenths of a per cent that add up to 100.0, the largest remainders first."""
    whole = sum(counts)
    if not whole:
        return [None for _ in counts]
    exact = [Fraction(count * 1000, whole) for count in counts]
    floors = [int(e) for e in exact]
    while sum(floors) < 1000:
        lost = [e - f for e, f in zip(exact, floors, strict=True)]
        floors[lost.index(max(lost))] += 1
    return [floor / 10 for floor in floors]


def tally(rows, appeals, level):
    answered = [row for row in rows if row["outcome"] == "answered"]
    in_queue = [row for row in answered if row["wait_seconds"] is not None]
    waits = sum(row["wait_seconds"] for row in in_queue)
    menus = sum(row["menu_seconds"] for row in in_queue)
    queued = [row for row in rows if row["wait_seconds"] is not None and not row["short"]]
    gone = [row for row in rows if row["outcome"] == "abandoned_queue" and not row["short"]]
    short = [row for row in rows if row["outcome"] == "abandoned_queue" and row["short"]]
    quick = [row for row in in_queue if row["wait_seconds"] <= level]
    asked = [row for row in answered if row["ended_by"] == "operator"]
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
        "rating_response": ratio(sum(row["rating"] is not None for row in asked), len(asked)),
    }


def parted(rows, appeals, level, key):
    parts = defaultdict(list)
    for row in rows:
        parts[key(row)].append(row)
    return {found: tally(part, appeals, level) for found, part in parts.items()}


def key_of(name, appeals, forms):
    """What a call is counted under."""

    def operator(row):
        spoke = [talk["who"] for talk in row["talks"] if talk["with"] == "operator"]
        return spoke[0] if spoke else "-"

    def told(column, otherwise):
        def find(row):
            for registered in (forms.get(row["id"]), appeals.get(row["id"])):
                if registered and registered[0].get(column):
                    return registered[0][column]
            return otherwise(row) or "-"

        return find

    def by_ledger(row):
        handed_on = any(talk["with"] == "employee" for talk in row["talks"])
        return "transferred" if handed_on else "incoming"

    return {
        "topic": told("direction", lambda row: row["topic"]),
        "call_type": told("call_type", lambda row: None),
        "call_direction": told("call_direction", by_ledger),
        "region": told("region", lambda row: None),
        "operator": operator,
        "trunk": lambda row: row["trunk"] or "-",
        "number": lambda row: row["diverted_from"] or row["hotline_number"] or "-",
        "language": lambda row: row["language"] or "-",
    }[name]


def by_call(appeals):
    """Call → its appeals, or forms №2, the first number first."""
    found = defaultdict(list)
    for appeal in sorted(appeals, key=lambda appeal: appeal["number"]):
        if appeal["call_id"]:
            found[appeal["call_id"]].append(appeal)
    return found


def waits(rows):
    buckets = [{"answered": 0, "abandoned": 0, "left": 0} for _ in range(len(BOUNDS) + 1)]
    for row in rows:
        if row["wait_seconds"] is None:
            continue
        place = 0
        while place < len(BOUNDS) and row["wait_seconds"] > BOUNDS[place]:
            place += 1
        kind = {"answered": "answered", "abandoned_queue": "abandoned"}
        buckets[place][kind.get(row["outcome"], "left")] += 1
    edges = [None, *BOUNDS, None]
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
        for seconds in BOUNDS
    ]


def callers(rows):
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


def queues(rows):
    found = {}
    for row in rows:
        for visit in row["queue_visits"]:
            one = found.setdefault(visit["queue"], {"visits": 0, "open": 0, "waits": []})
            one["visits"] += 1
            if visit["result"] is None:
                one["open"] += 1
                continue
            one[visit["result"]] = one.get(visit["result"], 0) + 1
            if visit["result"] == "answered":
                wait = moment(visit["left_at"]) - moment(visit["joined_at"])
                one["waits"].append(wait.total_seconds())
    results = ("answered", "abandoned", "overflow", "callback", "timed_out", "failed")
    return [
        {
            "queue": name,
            "visits": one["visits"],
            "open": one["open"],
            **{result: one.get(result, 0) for result in results},
            "wait": ratio(sum(one["waits"]), len(one["waits"]), 1),
        }
        for name, one in sorted(found.items())
    ]


def transfers(rows):
    found = [transfer for row in rows for transfer in row["transfers"]]
    lines = []
    for kind in ("blind", "attended", "automatic"):
        of_kind = [transfer for transfer in found if transfer["kind"] == kind]
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


def seconds_of(begin, end):
    return max(0.0, (end - begin).total_seconds())


def pieces(row, talk):
    """A talk without the gaps of its call."""
    since, found = moment(talk["from"]), []
    for gap in sorted(row["gaps"], key=lambda gap: gap["from"]):
        if talk["from"] <= gap["from"] < talk["to"]:
            found.append((since, moment(gap["from"])))
            since = moment(gap["to"])
    return [*found, (since, moment(talk["to"]))]


def shift_moments(shifts, login, begin, end):
    """The minutes of the site's clock that an operator's shifts cover, each by its beginning."""
    found = set()
    begin, end = begin.astimezone(dt.UTC), end.astimezone(dt.UTC)
    for who, opens, closes, first, last in shifts:
        closing = dt.time.fromisoformat(closes)
        day = begin.astimezone(SITE).date() - dt.timedelta(days=1)
        while who == login and day <= end.astimezone(SITE).date():
            minute = dt.datetime.combine(day, dt.time.fromisoformat(opens), SITE)
            while first <= day and (last is None or day <= last):
                if begin <= minute < end:
                    found.add(minute.astimezone(dt.UTC))  # which is compared in no time
                minute += dt.timedelta(minutes=1)
                if minute.time() == closing:
                    break
            day += dt.timedelta(days=1)
    return found


def rests(talks, placed, ready, seconds, end):
    """Seconds after the talks in which an operator was ready and spoke with nobody."""
    whole = 0.0
    spoken = {*talks, *placed}
    for ended in {till for since, till in talks if since < till}:
        if any(since <= ended < till for since, till in spoken):
            continue
        for begin, till in ready:
            if begin <= ended < till:
                again = [since for since, till in spoken if since > ended and since < till]
                rule = ended + dt.timedelta(seconds=seconds)
                whole += seconds_of(ended, min([till, rule, end, *again]))
    return whole


def workload(rows, states, shifts, wrap_up, begin, end):
    """What each operator's time went into.

    `rows`: every call of the period; `states`: (login, since, state, reason) of all time, in order;
    `shifts`: (login, opens, closes, first day, last day or None); `wrap_up`: seconds.
    """
    real = [row for row in rows if not row["synthetic"]]
    incoming = [row for row in real if is_incoming(row)]
    talks, placed, missed, spoken = (defaultdict(list) for _ in range(4))
    calls_out, wholes, wholes_out = defaultdict(set), defaultdict(list), defaultdict(list)
    for row in incoming:
        for talk in row["talks"]:
            if talk["with"] == "operator" and talk["to"]:
                talks[talk["who"]] += pieces(row, talk)
                wholes[talk["who"]].append((moment(talk["from"]), moment(talk["to"])))
                spoken[talk["who"]].append(row["id"])
        for visit in row["queue_visits"]:
            for ring in visit["rings"]:
                if ring["result"] == "no_answer":
                    missed[ring["operator"]].append(ring)
    for row in real:
        if row["direction"] == "outbound" and row["by"]:
            for talk in row["talks"]:
                if talk["with"] == "outside" and talk["to"]:
                    placed[row["by"]] += pieces(row, talk)
                    wholes_out[row["by"]].append((moment(talk["from"]), moment(talk["to"])))
                    calls_out[row["by"]].add(row["id"])
    chosen = defaultdict(list)
    for login, since, state, reason in states:
        chosen[login].append((since, state, reason))
    lines = []
    for login in sorted({*talks, *placed, *missed, *chosen}):
        own = chosen[login]
        stretches = []
        reasons = defaultdict(float)
        for number, (since, state, reason) in enumerate(own):
            until = own[number + 1][0] if number + 1 < len(own) else end
            if max(since, begin) < min(until, end):
                stretches.append((state, max(since, begin), min(until, end)))
                if state == "pause":
                    reasons[reason] += seconds_of(max(since, begin), min(until, end))
        if not (stretches or talks[login] or placed[login] or missed[login]):
            continue
        ready = [(b, e) for state, b, e in stretches if state in ("ready", "wrap_up")]
        rested = [(b, e) for state, b, e in stretches if state == "ready"]
        more = [(b, e) for state, b, e in stretches if state == "wrap_up"]
        rest = rests(wholes[login], wholes_out[login], rested, wrap_up, end)
        pauses = [(b, e) for state, b, e in stretches if state == "pause"]
        away = [(b, e) for state, b, e in stretches if state == "back_office"]
        planned = shift_moments(shifts, login, begin, end)
        on_duty = [(b, e) for state, b, e in stretches if state != "off"]
        kept = sum(any(b <= minute < e for b, e in on_duty) for minute in planned)
        by_day = defaultdict(set)
        for stretch in ready:
            for days in range((stretch[1].date() - stretch[0].date()).days + 1):
                by_day[stretch[0].date() + dt.timedelta(days=days)].add(stretch)
        busy = 0.0
        for b, e in (*talks[login], *placed[login]):
            for stretch in by_day[b.date()] | by_day[e.date()]:
                busy += seconds_of(max(b, stretch[0]), min(e, stretch[1]))
        talked = sum(seconds_of(*talk) for talk in talks[login])
        called = sum(seconds_of(*talk) for talk in placed[login])
        ready_seconds = sum(seconds_of(*stretch) for stretch in ready)
        calls = len(set(spoken[login]))
        for b, e in more:
            rest += seconds_of(b, e)
            rest -= sum(
                seconds_of(max(b, since), min(e, until))
                for since, until in (*talks[login], *placed[login])
                if max(b, since) < min(e, until)
            )
        handled = talked + called + rest
        available = max(0.0, ready_seconds - busy - rest)
        occupancy = 100 * handled / (handled + available) if handled + available else None
        lines.append(
            {
                "operator": login,
                "calls": calls,
                "talk_seconds": talked,
                "outgoing": len(calls_out[login]),
                "outgoing_seconds": called,
                "ready_seconds": ready_seconds,
                "busy_seconds": busy,
                "pause_seconds": sum(seconds_of(*pause) for pause in pauses),
                "pauses": len(pauses),
                "pause_reasons": dict(reasons),
                "wrap_up_seconds": rest,
                "back_office_seconds": sum(seconds_of(*stretch) for stretch in away),
                "planned_seconds": 60.0 * len(planned),
                "kept_seconds": 60.0 * kept,
                "shifts": sum(m - dt.timedelta(minutes=1) not in planned for m in planned),
                "adherence": {
                    "value": 100 * kept / len(planned) if planned else None,
                    "cases": sum(m - dt.timedelta(minutes=1) not in planned for m in planned),
                },
                "missed_rings": len(missed[login]),
                "handling": ratio(talked, calls, 1),
                "occupancy": {"value": occupancy, "cases": calls},
            }
        )
    return lines


def telephony(
    rows, appeals, forms, states, shifts, wrap_up, level, begin, end, wanted=lambda row: True
):
    """Everything of `report telephony --format json` but names, balance and the head."""
    own, on_form = by_call(appeals), by_call(forms)
    some = [row for row in rows if is_incoming(row) and wanted(row)]
    hours = parted(some, own, level, lambda row: (local(row).isoweekday(), local(row).hour))
    days = parted(some, own, level, lambda row: local(row).date().isoformat())
    return {
        "total": tally(some, own, level),
        "line_quality": [],
        "by_weekday_and_hour": [
            {"weekday": weekday, "hour": hour} | found
            for (weekday, hour), found in sorted(hours.items())
        ],
        "by_day": [{"date": day} | found for day, found in sorted(days.items())],
        **{
            f"by_{name}": parted(some, own, level, key_of(name, own, on_form))
            for name in (
                *("topic", "call_type", "call_direction", "region"),
                *("operator", "trunk", "number", "language"),
            )
        },
        "waits": waits(some),
        "abandon_curve": abandon_curve(some),
        "queues": queues(some),
        "transfers": transfers(some),
        "callers": callers(some),
        "workload": workload(rows, states, shifts, wrap_up, begin, end),
    }


def call_forms(rows, forms):
    """How many accepted calls are on form №2, and their share."""
    on_form = {form["call_id"] for form in forms}
    answered = [r for r in rows if is_incoming(r) and r["outcome"] == "answered"]
    registered = [row for row in answered if row["id"] in on_form]
    return {
        "accepted": len(answered),
        "registered": len(registered),
        "share": ratio(len(registered), len(answered))["value"],
    }


def act(rows, tariffs):
    """(direction, trunk, number, tariff) → calls, talk, billed seconds and tiyin of the act."""
    lines = defaultdict(lambda: [0, 0.0, 0, 0])
    for row in rows:
        if row["outcome"] != "answered" or row["synthetic"] or row["direction"] == "internal":
            continue
        number = ""
        if row["direction"] == "inbound":
            number = row["diverted_from"] or row["hotline_number"] or ""
        trunk, day = row["trunk"] or "", local(row).date()
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


def weekdays(moments, off, opens=9, closes=18):
    """Report form №2's table: [(inside, outside)] from Monday; `off`: date → is it worked."""
    table = [[0, 0] for _ in range(7)]
    for at in moments:
        day = at.date()
        works = off.get(day, day.isoweekday() <= 5)
        table[day.isoweekday() - 1][0 if works and opens <= at.hour < closes else 1] += 1
    return table


def listed(appeals, column, order):
    """(code, count, share) in the form's order; None stands for what is on no list."""
    codes = [a[column] if a[column] in order else None for a in appeals]
    rows = [*order, None] if None in codes else list(order)
    counts = [len([code for code in codes if code == row]) for row in rows]
    return [list(line) for line in zip(rows, counts, percentages(counts), strict=True)]


def in_shifts(rows, shifts):
    """[incoming, accepted] of each (opens, closes), then of what falls into none."""
    table = [[0, 0] for _ in [*shifts, None]]
    for row in rows:
        if is_incoming(row):
            time = local(row).strftime("%H:%M")
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


def recovered(rows, later):
    """Missed calls whose number was spoken with within seven days, and the mean seconds to it.

    `later`: every call of the period and of the seven days after it.
    """
    spoken = defaultdict(list)
    for row in later:
        if row["outcome"] == "answered" and not row["synthetic"]:
            number = {"inbound": row["caller"], "outbound": row["callee"]}.get(row["direction"])
            if number:
                spoken[number].append(moment(row["arrived_at"]))
    waits = []
    for row in rows:
        if not is_incoming(row) or row["outcome"] in ("answered", None) or not row["caller"]:
            continue
        at = moment(row["arrived_at"])
        after = [(m - at).total_seconds() for m in spoken[row["caller"]] if m > at]
        if after and min(after) <= 7 * 86400:
            waits.append(min(after))
    return len(waits), sum(waits) / len(waits) if waits else None


def quarterly(rows, later):
    """Table 1 of report form №1."""
    some = [row for row in rows if is_incoming(row)]
    answered = [row for row in some if row["outcome"] == "answered"]
    out = [row for row in rows if row["direction"] == "outbound" and not row["synthetic"]]
    talk = sum(row["talk_seconds"] for row in answered)
    count, average = recovered(rows, later)
    return {
        "incoming": len(some),
        "accepted": len(answered),
        "missed": sum(row["outcome"] not in ("answered", None) for row in some),
        "talk_seconds_total": talk,
        "talk_seconds_average": talk / len(answered),
        "outgoing": len(out),
        "outgoing_answered": sum(row["outcome"] == "answered" for row in out),
        "recovered": count,
        "recovered_seconds_average": average,
    }


def requests(rows, begin, end):
    """kind → [carried, asked, in time, late, open, overdue].

    A row: kind, asked, due, and its moves: (moment, done or done no more) in their order.
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
