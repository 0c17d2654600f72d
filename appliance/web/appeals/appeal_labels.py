"""How it is told where an appeal stands: its state, its deadline, what was done with it."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import LazyString, lazy_gettext, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import departments, forms, ministry
from appliance.casework.appeals import consultations, deadlines, states
from appliance.core import clock
from appliance.core.clock import WorkingCalendar
from appliance.core.i18n import named
from appliance.people import accounts
from appliance.web.shell import formats, labels
from appliance.web.shell.context import today as today
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import AppealStep, Consultation, Handling

# state: name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    state.code: (lazy_gettext(state.name), state.tone, state.icon) for state in states.ALL
}
# action of states.MOVES: what was done, the icon, the dot's colour
DONE: dict[str, tuple[LazyString, str, str]] = {
    "take": (_l("Taken over"), "user-check", ""),
    "answer": (_l("Answer given"), "send", "ok"),
    "interim": (_l("Interim answer"), "message-square", ""),
    "return": (_l("Returned for rework"), "undo-2", "warn"),
    "forward": (_l("Forwarded"), "forward", ""),
    "extend": (_l("Term extended"), "calendar-plus", "warn"),
    "dismiss": (_l("Closed without an answer"), "ban", "warn"),
    "close": (_l("Closed"), "archive", "ok"),
    "undo": (_l("Answer taken back"), "undo-2", ""),
    "reopen": (_l("Reopened"), "rotate-ccw", "warn"),
    "consult": (_l("Specialist contacted"), "phone-call", "ok"),
    "conclude": (_l("Outcome of the consultation"), "circle-check", "ok"),
    "add": (_l("Added by the citizen"), "message-square-plus", "accent"),
    "correct": (_l("Form corrected"), "pencil", ""),
    "resend": (_l("Corrected and sent again"), "pencil", "accent"),
}
# action: what the choice is called, what the text is, what the button says
TODO: dict[str, tuple[LazyString, LazyString, LazyString]] = {
    "answer": (_l("Answer"), _l("Text of the answer"), _l("Send the answer")),
    "interim": (_l("Interim answer"), _l("Text of the answer"), _l("Send the interim answer")),
    "return": (_l("Return"), _l("What is to be corrected"), _l("Return for rework")),
    "forward": (_l("Forward"), _l("Why it is forwarded"), _l("Forward")),
    "extend": (_l("Extend"), _l("Why the term is extended"), _l("Extend the term")),
    "dismiss": (_l("No answer owed"), _l("On what ground"), _l("Close without an answer")),
    "reopen": (_l("Reopen"), _l("Why it is reopened"), _l("Reopen")),
}
TERMS: dict[str, LazyString] = {
    "basic": _l("15 days: law OʻRQ-445, article 28"),
    "month": _l("1 month: law OʻRQ-445, article 28"),
    "extended": _l("extended by a month: law OʻRQ-445, article 28"),
    "explain": _l("10 days to explain: law OʻRQ-445, article 31"),
}
TROUBLES: dict[str, LazyString] = {
    "changed": _l("Somebody was faster: look at what was done, then decide anew."),
    "held": _l("A colleague has taken this appeal over. Take it over first."),
    "state": _l("This cannot be done any more: the appeal stands elsewhere now."),
    "late": _l("The answer is out already: reopen the appeal to answer anew."),
    "words": _l("Write the text first."),
    "department": _l("Choose another department."),
    "term": _l("The law knows no longer term for this appeal."),
    "overdue": _l("The term is over already: it cannot be extended."),
}


@dataclass(frozen=True)
class Nearness:
    """How near a deadline is: in words, the badge's kind, the icon."""

    words: str
    kind: str
    sign: str


def consultation_state(asked: "Consultation") -> tuple[LazyString, str, str]:
    """Where a consultation stands: the word, the badge's kind, the icon."""
    if asked.done_at:
        return _l("Done"), "ok", "check"
    if consultations.is_overdue(asked, clock.now()):
        return _l("Overdue"), "bad", "octagon-alert"
    if asked.contacted_at:
        return _l("Contacted"), "accent", "phone-call"
    return _l("To be asked"), "warn", "hourglass"


def nearness(handling: "Handling", day: dt.date, calendar: WorkingCalendar) -> Nearness | None:
    """How near an open appeal's deadline is, and of a late answer how late; None of the rest."""
    late = ((handling.answered_on or day) - handling.due_on).days
    if not handling.is_open:
        if not handling.answered_on or late <= 0:
            return None
        words = ngettext("%(num)s day late", "%(num)s days late", late)
        return Nearness(words, "warn", "clock")
    if late > 0:
        words = ngettext("%(num)s day overdue", "%(num)s days overdue", late)
        return Nearness(words, "bad", "octagon-alert")
    if late == 0:
        return Nearness(_("Today"), "warn", "clock")
    left = deadlines.working_days(day, handling.due_on, calendar)
    if not left:
        return Nearness(_("no working day left"), "warn", "clock")
    return Nearness(ngettext("%(num)s working day", "%(num)s working days", left), "", "calendar")


def who(login: str, known: dict[str, str]) -> str:
    """How somebody who did a step is called; a program by its key's name."""
    if login == ministry.WHO:
        return _("Ministry's system")
    return known.get(login) or login.removeprefix("key:")


def details(step: "AppealStep") -> list[str]:
    """What a step's details say, a line each."""
    detail = step.detail
    if "changes" in detail:
        return [_change(name, *values) for name, values in detail["changes"].items()]
    if step.action == "forward":
        theirs = {d.id: named(d, locale()) for d in departments.departments(active=False)}
        lines = [f"{theirs.get(detail['from'], '–')}: {theirs.get(detail['to'], '–')}"]
        return lines + ([_("later than the 5 days of article 25")] if detail["late"] else [])
    if step.action == "extend":
        dates = (formats.date(dt.date.fromisoformat(detail[key])) for key in ("from", "to"))
        return [_("from %(before)s to %(after)s", before=next(dates), after=next(dates))]
    if step.action == "take" and detail:
        return [_("from %(name)s", name=who(detail["from"], accounts.names(locale())))]
    return []


def _change(name: str, before: str, now: str) -> str:
    field = labels.FIELDS[name if name in labels.FIELDS else name.removesuffix("_text")]
    return f"{field}: {_value(name, before) or '–'} / {_value(name, now) or '–'}"


def _value(name: str, value: str) -> str:
    if name == "consultation":
        return _("yes") if value else ""
    field = forms.field_of(name)
    return labels.field_text(field, {field.name: value}) if field else value
