"""The titles, cells and notes of report form №1, the same on paper, page and in the workbook."""

from appliance.core import script
from appliance.reports import formatting, paper, recovery, report_texts
from appliance.reports.quarterly.activity import ActivityFact
from appliance.reports.quarterly.report import IntervalRow, QuarterlyReport
from appliance.reports.report_texts import QuarterlyTexts, ReportTexts
from appliance.reports.shares import percentage

_ACTIVITY_FIELDS = (  # fields of Activity, in the order of table 3
    "hours",
    "callback",
    "telegram_bot",
    "published",
    "recordings_kept",
    "appeals_kept",
)


def form_texts(report: QuarterlyReport) -> QuarterlyTexts:
    """Return the texts of report form №1 in the report's language."""
    return report_texts.load_texts(report.locale).quarterly


def title_dates(report: QuarterlyReport) -> dict[str, object]:
    """Return the values for the placeholders {year} and {quarter} of titles."""
    return {"year": report.period.first.year, "quarter": report.quarter[-1]}


def report_title(report: QuarterlyReport) -> str:
    """Return the title of the report's files."""
    texts = form_texts(report)
    full_title = texts.title.format(**title_dates(report))
    return full_title if report.is_whole_quarter else f"{full_title} {_last_date_text(report)}"


def heading_lines(report: QuarterlyReport) -> list[str]:
    """Return the parts of the report's heading, each with the printed form's line breaks."""
    texts = form_texts(report)
    parts = [part.format(**title_dates(report)) for part in texts.heading]
    return parts if report.is_whole_quarter else [*parts, _last_date_text(report)]


def interval_label(row: IntervalRow, report: QuarterlyReport) -> str:
    """Return the hours of a row of table 2, "08:00–14:00".

    The row of calls outside all shifts has "other hours", or "unknown" if no shift was recorded.
    """
    if row.opens:
        return f"{row.opens}–{row.closes}"
    texts = report_texts.load_texts(report.locale)
    return texts.quarterly.other_hours if len(report.intervals) > 1 else texts.unknown


def call_notes(report: QuarterlyReport) -> list[str]:
    """Return the notes under table 1."""
    texts, recovery_counts = form_texts(report), report.recovery
    notes = []
    if report.calls.missed:
        share = percentage(recovery_counts.recovered, recovery_counts.missed)
        notes.append(
            texts.recovered.format(
                missed=formatting.format_number(recovery_counts.missed),
                recovered=formatting.format_number(recovery_counts.recovered),
                share=formatting.format_decimal(share),
                days=recovery.RECOVERY_WINDOW.days,
            )
        )
    menu_only = report.menu_only
    if menu_only.self_served or menu_only.closed:
        notes.append(
            texts.menu_only.format(
                self_served=formatting.format_number(menu_only.self_served),
                closed=formatting.format_number(menu_only.closed),
            )
        )
    if recovery_counts.average is not None:
        hours, minutes = divmod(round(recovery_counts.average / 60), 60)
        notes.append(
            texts.recovered_after.format(hours=formatting.format_number(hours), minutes=minutes)
        )
    if report.calls.outgoing:
        answered = formatting.format_number(report.calls.outgoing_answered or 0)
        notes.append(texts.outgoing_answered.format(count=answered))
    lines = [" ".join(notes)] if notes else []
    unobserved_stretches = paper.unobserved_text(report)
    if unobserved_stretches:
        lines.append(
            report_texts.load_texts(report.locale).monthly.calls_unobserved.format(
                stretches=unobserved_stretches
            )
        )
    return lines


def staff_notes(report: QuarterlyReport) -> list[str]:
    """Return the notes under table 2."""
    texts, qualification = form_texts(report), report.qualification
    notes = [texts.staff_dates.format(date=formatting.format_date(report.period.last))]
    if qualification.unrecorded:
        notes.append(
            texts.unrecorded.format(count=formatting.format_number(qualification.unrecorded))
        )
    if qualification.upskilled is None or qualification.disciplined is None:
        notes.append(texts.incomplete)
    if not report.has_disjoint_intervals:
        notes.append(texts.overlapping)
    return [" ".join(notes)]


def activity_cells(report: QuarterlyReport) -> list[tuple[str, int]]:
    """Return the cells of table 3, each with the number of the note that states its source.

    Note 1 is about the system's own data, note 2 about the manager's answer (`activity_notes`).
    """
    activity, texts = report.activity, report_texts.load_texts(report.locale)
    facts: list[ActivityFact] = [getattr(activity, field) for field in _ACTIVITY_FIELDS]
    cell_texts = (
        _hours_text(activity.hours, texts),
        _callback_text(activity.callback, texts),
        texts.quarterly.exists
        if activity.telegram_bot.is_fulfilled
        else texts.quarterly.exists_not,
        _published_text(activity.published, texts, report.locale),
        _recordings_text(activity.recordings_kept, texts),
        _appeals_text(activity.appeals_kept, texts),
    )
    return [
        (cell, 1 if fact.source == "system" else 2)
        for cell, fact in zip(cell_texts, facts, strict=True)
    ]


def activity_notes(report: QuarterlyReport) -> list[str]:
    """Return the notes under table 3, which state its sources: 1 the system, 2 the manager."""
    texts, activity = form_texts(report), report.activity
    if activity.answered_at is None:
        return [texts.by_system, texts.by_nobody]
    name = script.transliterate_for_locale(activity.answered_by, report.locale)
    day = activity.answered_at.astimezone(report.period.tz).date()
    return [
        texts.by_system,
        texts.by_manager.format(name=name, date=formatting.format_date(day)),
    ]


def _hours_text(fact: ActivityFact, texts: ReportTexts) -> str:
    """Return whether calls are taken round the clock; if not, how many reached a closed line."""
    if fact.is_fulfilled is None:
        return texts.unknown
    count = formatting.format_number(fact.count)
    return (
        texts.quarterly.hours_yes
        if fact.is_fulfilled
        else texts.quarterly.hours_no.format(count=count)
    )


def _callback_text(fact: ActivityFact, texts: ReportTexts) -> str:
    """Return whether callers can request a callback, and how many did."""
    if fact.is_fulfilled is None:
        return texts.unknown
    if not fact.is_fulfilled:
        return texts.quarterly.exists_not
    if not fact.count:
        return texts.quarterly.exists
    return texts.quarterly.callback_yes.format(count=formatting.format_number(fact.count))


def _published_text(fact: ActivityFact, texts: ReportTexts, locale: str) -> str:
    """Return the manager's answer, with the note that they typed, in the script of `locale`."""
    if fact.is_fulfilled is None:
        return texts.unknown
    cell = texts.quarterly.published_yes if fact.is_fulfilled else texts.quarterly.published_no
    return f"{cell}: {script.transliterate_for_locale(fact.note, locale)}" if fact.note else cell


def _recordings_text(fact: ActivityFact, texts: ReportTexts) -> str:
    """Return whether recordings are kept for two months, and how many of the calls have one."""
    quarterly_texts = texts.quarterly
    counts = quarterly_texts.kept_of.format(
        count=formatting.format_number(fact.count), of=formatting.format_number(fact.of)
    )
    partial_text = quarterly_texts.kept_in_part if fact.count else quarterly_texts.not_kept
    return _retention_text(
        fact, quarterly_texts.kept if fact.count >= fact.of else partial_text, counts, texts
    )


def _appeals_text(fact: ActivityFact, texts: ReportTexts) -> str:
    """Return whether the texts of appeals are kept for two years, and how many are kept."""
    quarterly_texts = texts.quarterly
    counts = quarterly_texts.kept_texts.format(count=formatting.format_number(fact.count))
    partial_text = quarterly_texts.kept_in_part if fact.count else quarterly_texts.not_kept
    return _retention_text(
        fact, quarterly_texts.kept if fact.is_fulfilled else partial_text, counts, texts
    )


def _retention_text(fact: ActivityFact, verdict: str, counts: str, texts: ReportTexts) -> str:
    """Return the text that says whether recordings or appeals are kept as long as required.

    It joins the `verdict` (yes, no or in part), the text `counts`, which says how many are kept,
    and the date of the oldest. If even the oldest is too new to judge, the verdict is replaced by
    "kept so far".
    """
    quarterly_texts = texts.quarterly
    if fact.until:
        verdict = quarterly_texts.kept_so_far.format(date=formatting.format_date(fact.until))
    elif fact.is_fulfilled is None:
        return texts.unknown
    return "; ".join([verdict, counts, *_oldest_texts(fact, quarterly_texts)])


def _oldest_texts(fact: ActivityFact, quarterly_texts: QuarterlyTexts) -> list[str]:
    """Return a list with the text about the oldest item, or an empty list without items."""
    return (
        [quarterly_texts.kept_since.format(date=formatting.format_date(fact.oldest))]
        if fact.oldest
        else []
    )


def _last_date_text(report: QuarterlyReport) -> str:
    """Return the text that names the last date of a report that ends before the quarter does."""
    return form_texts(report).to_date.format(date=formatting.format_date(report.period.last))
