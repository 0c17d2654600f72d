"""The texts of the reports, one TOML file per language in the templates directory.

They are separate from the pages' message catalogues because the Uzbek Cyrillic text reproduces the
ministry's own form letter by letter. The classes have a field for each key of the files, so a file
with a missing or an extra text fails to load.
"""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

import dacite

from appliance.core.i18n import locale_translations
from appliance.telephony import calls

TEMPLATES_DIRECTORY = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class BalanceTexts:
    """The texts of the balance: the sum of all incoming calls by outcome, and what is unknown.

    Further texts say which calls the tables exclude. Here and in the classes below, the comment
    after a text names its placeholders.
    """

    title: str
    arrived: str  # {count}
    outcomes: dict[str, str]  # by outcome or "open": {count}; by default the names shown on pages
    synthetic: str  # {count}
    short: str  # {count}
    difference: str  # {count}
    grounds: str
    bridge: str  # {sum}
    bridge_accepted: str  # {sum}
    bridge_rejected: str  # {count}
    bridge_synthetic: str  # {count}
    trunks: str  # {count}
    unobserved: str  # {stretches}
    unobserved_more: str  # {count}
    all_observed: str
    recordings: str  # {found} {expected}
    recordings_short: str  # {count}
    sip_refused: str  # {count}
    formulas: str  # {version}
    made: str  # {moment}


@dataclass(frozen=True)
class MonthlyTexts:
    """The texts of report form №2; `title` and `heading` take {year}, {month} and {day}."""

    form: str
    title: str  # the title of the file
    heading: list[str]
    appeals_by_weekday: str
    appeals_inside: str
    appeals_outside: str
    calls_by_weekday: str
    calls_inside: str
    calls_outside: str
    by_region: str
    region: str
    region_unknown: str
    by_direction: str
    direction: str
    direction_unknown: str
    consultations: str
    issue: str
    contacted: str
    no_consultations: str
    personal: str  # replaces the subject of a personal appeal
    calls_unobserved: str  # {stretches}
    counted_requests: str  # below tables 1, 3 and 4
    counted_appeals: str
    counting_rule: str  # {version} {date}
    all_requests: str  # names the reading, as the name of a cell


@dataclass(frozen=True)
class QuarterlyTexts:
    """The texts of report form №1."""

    form: str
    title: str  # {quarter} {year}
    heading: list[str]  # {quarter} {year}
    to_date: str  # {date}
    quarter: str  # {quarter} {year}
    incoming: str
    accepted: str
    missed: str
    talk_total: str
    talk_average: str
    outgoing: str
    recovered: str  # {days} {missed} {recovered} {share}
    menu_only: str  # {closed} {self_served}
    recovered_after: str  # {hours} {minutes}
    outgoing_answered: str  # {count}
    staff_heading: str
    numbers: str
    operators: str
    education: str
    incomplete_higher: str
    secondary: str
    upskilled: str
    disciplined: str
    shifts: str
    interval: str
    staff: str
    shift_calls: str
    shift_incoming: str
    shift_accepted: str
    other_hours: str
    day: str
    staff_dates: str  # {date}
    unrecorded: str  # {count}
    incomplete: str
    overlapping: str
    activity_heading: str
    hours: str
    callback: str
    telegram_bot: str
    published: str
    recordings_kept: str
    appeals_kept: str
    hours_yes: str
    hours_no: str  # {count}
    callback_yes: str  # {count}
    exists: str
    exists_not: str
    published_yes: str
    published_no: str
    kept: str
    kept_in_part: str
    kept_so_far: str  # {date}
    not_kept: str
    kept_of: str  # {count} {of}
    kept_texts: str  # {count}
    kept_since: str  # {date}
    by_system: str
    by_manager: str  # {date} {name}
    by_nobody: str
    weeks: str
    weeks_incoming: str
    weeks_missed: str
    month: str
    month_incoming: str
    month_accepted: str
    month_missed: str
    month_share: str
    month_recovered: str


@dataclass(frozen=True)
class DailyTexts:
    """The texts of the daily summary."""

    form: str
    title: str  # {date}
    audit: str  # {head}


@dataclass(frozen=True)
class AnnexTexts:
    """The texts of the annex: charts, answering figures, internet and restore drill."""

    title: str
    heading: str
    hours: str
    hours_inside: str  # {opens} {closes}
    hours_outside: str
    waits: str
    threshold: str  # {seconds} {within} {beyond}
    no_calls: str
    figure: str
    value: str
    target: str
    incoming: str
    accepted: str
    missed: str
    answer_speed: str
    answer_speed_from_arrival: str
    service_level: str  # {target} {seconds}
    service_basis: str  # {seconds} {quick} {accepted} {abandoned}
    waits_basis: str  # {within} {waited}
    abandon_rate: str  # {seconds}
    rating: str  # {response}
    marks: str
    call_forms: str
    seconds: str  # {value}
    at_most_seconds: str  # {value}
    at_least: str  # {value}
    internet: str
    outages: str  # {value} {count}
    rate: str
    mbit: str  # {value} {least}
    at_least_mbit: str  # {value}
    drill: str
    drill_passed: str  # {date}
    drill_failed: str  # {date}
    drill_none: str


@dataclass(frozen=True)
class ChangesTexts:
    """The texts of the annex on change requests."""

    title: str
    kind: str
    kinds: dict[str, str]  # changes.terms.KINDS
    carried: str
    asked: str
    in_time: str
    late: str
    open: str
    overdue: str
    term: str


@dataclass(frozen=True)
class ReportTexts:
    """All texts of the reports in one language."""

    language: str  # BCP 47
    author: str
    table: str  # {number}
    picture: str  # {number}
    weekday: str
    weekdays: list[str]
    months: list[str]
    date: str
    count: str
    share: str
    total: str
    unknown: str
    few: str
    length: str  # {minutes} {seconds}
    project_lead: str
    ministry_officer: str
    signature: str
    name: str
    balance: BalanceTexts
    monthly: MonthlyTexts
    quarterly: QuarterlyTexts
    daily: DailyTexts
    annex: AnnexTexts
    changes: ChangesTexts


@functools.cache
def load_texts(locale: str) -> ReportTexts:
    """Return the texts in the language of one of i18n.LOCALES.

    Raises dacite.DaciteError if a text is missing from the file, or has no field here.
    """
    text = tomllib.loads((TEMPLATES_DIRECTORY / f"{locale}.toml").read_text("utf-8"))
    gettext = locale_translations(locale).gettext
    default_outcomes = {
        outcome.code: f"{{count}} «{gettext(outcome.name)}»" for outcome in calls.INBOUND_OUTCOMES
    }
    text["balance"]["outcomes"] = default_outcomes | text["balance"]["outcomes"]
    return dacite.from_dict(ReportTexts, text, dacite.Config(strict=True))
