"""How the cells of report form №1 are worded, the same on paper, page and workbook."""

from appliance.core import script
from appliance.reports import figures, paper, recovery, words
from appliance.reports.quarterly.activity import Fact
from appliance.reports.quarterly.report import IntervalRow, QuarterlyReport
from appliance.reports.words import QuarterlyWords, Words

_PARTS = ("hours", "callback", "telegram_bot", "published", "recordings_kept", "appeals_kept")


def form(report: QuarterlyReport) -> QuarterlyWords:
    """The words of form №1."""
    return words.load(report.locale).quarterly


def dates(report: QuarterlyReport) -> dict[str, object]:
    """What titles are filled with."""
    return {"year": report.period.first.year, "quarter": report.quarter[-1]}


def title(report: QuarterlyReport) -> str:
    """The file's title."""
    text = form(report)
    named = text.title.format(**dates(report))
    return named if report.whole else f"{named} {_to_date(report)}"


def heading(report: QuarterlyReport) -> list[str]:
    """The paper's heading, in parts."""
    text = form(report)
    parts = [part.format(**dates(report)) for part in text.heading]
    return parts if report.whole else [*parts, _to_date(report)]


def interval(row: IntervalRow, report: QuarterlyReport) -> str:
    """08:00–14:00; other hours; unknown when no shift was recorded at all."""
    if row.opens:
        return f"{row.opens}–{row.closes}"
    whole = words.load(report.locale)
    return whole.quarterly.other_hours if len(report.intervals) > 1 else whole.unknown


def call_notes(report: QuarterlyReport) -> list[str]:
    """What stands under table 1."""
    text, found = form(report), report.recovery
    notes = []
    if report.calls.missed:
        share = 100 * found.recovered / found.missed if found.missed else None
        notes.append(
            text.recovered.format(
                missed=figures.number(found.missed),
                recovered=figures.number(found.recovered),
                share=figures.decimal(share),
                days=recovery.WITHIN.days,
            )
        )
    if found.average is not None:
        hours, minutes = divmod(round(found.average / 60), 60)
        notes.append(text.recovered_after.format(hours=figures.number(hours), minutes=minutes))
    if report.calls.outgoing:
        answered = figures.number(report.calls.outgoing_answered or 0)
        notes.append(text.outgoing_answered.format(count=answered))
    line = [" ".join(notes)] if notes else []
    unseen = paper.unobserved(report)
    if unseen:
        line.append(words.load(report.locale).monthly.calls_unobserved.format(stretches=unseen))
    return line


def staff_notes(report: QuarterlyReport) -> list[str]:
    """What stands under table 2."""
    text, staff = form(report), report.qualification
    notes = [text.staff_dates.format(date=figures.date(report.period.last))]
    if staff.unrecorded:
        notes.append(text.unrecorded.format(count=figures.number(staff.unrecorded)))
    if staff.upskilled is None or staff.disciplined is None:
        notes.append(text.incomplete)
    if not report.parted:
        notes.append(text.overlapping)
    return [" ".join(notes)]


def activity_cells(report: QuarterlyReport) -> list[tuple[str, int]]:
    """Table 3's cells, each with the number of the note that says who knows it."""
    made, text = report.activity, words.load(report.locale)
    facts: list[Fact] = [getattr(made, part) for part in _PARTS]
    worded = (
        _hours(made.hours, text),
        _callback(made.callback, text),
        text.quarterly.exists if made.telegram_bot.holds else text.quarterly.exists_not,
        _published(made.published, text, report.locale),
        _recordings(made.recordings_kept, text),
        _appeals(made.appeals_kept, text),
    )
    return [
        (cell, 1 if fact.source == "system" else 2)
        for cell, fact in zip(worded, facts, strict=True)
    ]


def activity_notes(report: QuarterlyReport) -> list[str]:
    """Who knows what stands in table 3: notes 1 and 2."""
    text, made = form(report), report.activity
    if made.answered_at is None:
        return [text.by_system, text.by_nobody]
    name = script.written(made.answered_by, report.locale)
    day = made.answered_at.astimezone(report.period.tz).date()
    return [
        text.by_system,
        text.by_manager.format(name=name, date=figures.date(day)),
    ]


def _hours(fact: Fact, text: Words) -> str:
    if fact.holds is None:
        return text.unknown
    count = figures.number(fact.count)
    return text.quarterly.hours_yes if fact.holds else text.quarterly.hours_no.format(count=count)


def _callback(fact: Fact, text: Words) -> str:
    if fact.holds is None:
        return text.unknown
    if not fact.holds:
        return text.quarterly.exists_not
    if not fact.count:
        return text.quarterly.exists
    return text.quarterly.callback_yes.format(count=figures.number(fact.count))


def _published(fact: Fact, text: Words, locale: str) -> str:
    if fact.holds is None:
        return text.unknown
    cell = text.quarterly.published_yes if fact.holds else text.quarterly.published_no
    return f"{cell}: {script.written(fact.note, locale)}" if fact.note else cell


def _recordings(fact: Fact, text: Words) -> str:
    form = text.quarterly
    counts = form.kept_of.format(count=figures.number(fact.count), of=figures.number(fact.of))
    partly = form.kept_in_part if fact.count else form.not_kept
    return _kept_text(fact, form.kept if fact.count >= fact.of else partly, counts, text)


def _appeals(fact: Fact, text: Words) -> str:
    form = text.quarterly
    counts = form.kept_texts.format(count=figures.number(fact.count))
    partly = form.kept_in_part if fact.count else form.not_kept
    return _kept_text(fact, form.kept if fact.holds else partly, counts, text)


def _kept_text(fact: Fact, cell: str, counts: str, text: Words) -> str:
    """Whether it is kept as long as is asked; what has not been there so long is kept so far."""
    form = text.quarterly
    if fact.until:
        cell = form.kept_so_far.format(date=figures.date(fact.until))
    elif fact.holds is None:
        return text.unknown
    return "; ".join([cell, counts, *_oldest(fact, form)])


def _oldest(fact: Fact, form: QuarterlyWords) -> list[str]:
    return [form.kept_since.format(date=figures.date(fact.oldest))] if fact.oldest else []


def _to_date(report: QuarterlyReport) -> str:
    return form(report).to_date.format(date=figures.date(report.period.last))
