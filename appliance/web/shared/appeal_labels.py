"""Labels for the state of an appeal, its deadline and the steps taken."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import LazyString, lazy_gettext, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import departments, forms
from appliance.casework.appeals import consultations, deadlines, states
from appliance.casework.ministry import queue
from appliance.core import clock
from appliance.core.clock import WorkingCalendar
from appliance.core.i18n import localized_name
from appliance.people import accounts
from appliance.web.shell import formats, labels
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import AppealStep, Consultation, Handling

# By state of an appeal: its name, the badge's kind, the icon.
STATES: dict[str, tuple[LazyString, str, str]] = {
    state.code: (lazy_gettext(state.name), state.tone, state.icon)
    for state in states.WORKFLOW.states
}
# By state of an appeal in the ministry's system: its name, the badge's kind, the icon.
EXCHANGE_STATES: dict[str, tuple[LazyString, str, str]] = {
    "queued": (_l("Pending"), "", "hourglass"),
    "sent": (_l("Sent"), "accent", "send"),
    "acknowledged": (_l("Registered there"), "ok", "circle-check"),
    "refused": (_l("Refused"), "bad", "octagon-alert"),
}
# By action of states.WORKFLOW: the text in the appeal's history, the icon, the dot's colour.
STEP_LABELS: dict[str, tuple[LazyString, str, str]] = {
    "take": (_l("Taken over"), "user-check", ""),
    "answer": (_l("Answer sent"), "send", "ok"),
    "interim": (_l("Interim answer"), "message-square", ""),
    "return": (_l("Returned for rework"), "undo-2", "warn"),
    "forward": (_l("Forwarded"), "forward", ""),
    "extend": (_l("Term extended"), "calendar-plus", "warn"),
    "dismiss": (_l("Closed without an answer"), "ban", "warn"),
    "close": (_l("Closed"), "archive", "ok"),
    "undo": (_l("Answer withdrawn"), "undo-2", ""),
    "reopen": (_l("Reopened"), "rotate-ccw", "warn"),
    "consult": (_l("Specialist contacted"), "phone-call", "ok"),
    "conclude": (_l("Outcome of the consultation"), "circle-check", "ok"),
    "add": (_l("Added by the citizen"), "message-square-plus", "accent"),
    "correct": (_l("Form corrected"), "pencil", ""),
    "resend": (_l("Corrected and sent again"), "pencil", "accent"),
}
# By action: the name of the choice, the label of the field for the text, the text of the button.
ACTION_LABELS: dict[str, tuple[LazyString, LazyString, LazyString]] = {
    "answer": (_l("Answer"), _l("Text of the answer"), _l("Send the answer")),
    "interim": (_l("Interim answer"), _l("Text of the answer"), _l("Send the interim answer")),
    "return": (_l("Return"), _l("Correction needed"), _l("Return for rework")),
    "forward": (
        _l("Forward to another body"),
        _l("Reason for forwarding"),
        _l("Forward to another body"),
    ),
    "extend": (_l("Extend"), _l("Reason for extending the term"), _l("Extend the term")),
    "dismiss": (
        _l("Leave without consideration"),
        _l("Legal basis"),
        _l("Close without an answer"),
    ),
    "reopen": (_l("Reopen"), _l("Reason for reopening"), _l("Reopen")),
}
TERM_LABELS: dict[str, LazyString] = {
    "basic": _l("15 days: law OʻRQ-445, article 28"),
    "month": _l("1 month: law OʻRQ-445, article 28"),
    "extended": _l("extended by a month: law OʻRQ-445, article 28"),
    "explain": _l("10 days to explain: law OʻRQ-445, article 31"),
}
TROUBLES: dict[str, LazyString] = {
    "changed": _l("Another user was faster: look at what was done, then decide again."),
    "held": _l("A colleague has taken over this appeal. Take it over first."),
    "state": _l("This is no longer possible: the appeal is in another state now."),
    "late": _l("The answer has already been sent: reopen the appeal to answer again."),
    "words": _l("Write the text first."),
    "department": _l("Choose another department."),
    "term": _l("The law provides no longer term for this appeal."),
    "overdue": _l("The term is already over: it cannot be extended."),
}


@dataclass(frozen=True)
class Nearness:
    """How near a deadline is: the text, the badge's kind ("warn", "bad" or ""), the icon."""

    words: str
    kind: str
    icon_name: str


def consultation_badge(consultation: "Consultation") -> tuple[LazyString, str, str]:
    """Return the state of a consultation: the text, the badge's kind, the icon."""
    if consultation.done_at:
        return _l("Done"), "ok", "check"
    if consultations.is_overdue(consultation, clock.now()):
        return _l("Overdue"), "bad", "octagon-alert"
    if consultation.contacted_at:
        return _l("Contacted"), "accent", "phone-call"
    return _l("To be contacted"), "warn", "hourglass"


def deadline_nearness(
    handling: "Handling", day: dt.date, calendar: WorkingCalendar
) -> Nearness | None:
    """Return how near the deadline of an open appeal is, in working days, or how long past.

    For an appeal that was answered too late, return by how many days. `day` is the current date.
    Returns None if the appeal was answered in time, or closed without an answer.
    """
    days_late = ((handling.answered_on or day) - handling.due_on).days
    if not handling.is_open:
        if not handling.answered_on or days_late <= 0:
            return None
        text = ngettext("%(num)s day late", "%(num)s days late", days_late)
        return Nearness(text, "warn", "clock")
    if days_late > 0:
        text = ngettext("%(num)s day overdue", "%(num)s days overdue", days_late)
        return Nearness(text, "bad", "octagon-alert")
    if days_late == 0:
        return Nearness(_("Today"), "warn", "clock")
    working_days_left = deadlines.working_days_left(day, handling.due_on, calendar)
    if not working_days_left:
        return Nearness(_("no working day left"), "warn", "clock")
    return Nearness(
        ngettext("%(num)s working day", "%(num)s working days", working_days_left), "", "calendar"
    )


def actor_name(login: str, names: dict[str, str]) -> str:
    """Return the name of the user who performed a step; for a program, the name of its key.

    `login` is the step's actor, "key:NAME" for a program; `names` are the users' names by login.
    """
    if login == queue.MINISTRY_ACTOR:
        return str(_("Ministry's system"))
    return names.get(login) or login.removeprefix("key:")


def step_details(step: "AppealStep") -> list[str]:
    """Return the details of a step in an appeal's history, as lines of text.

    They are the corrected fields, the departments, the dates, or the user from whom the appeal was
    taken over. Other steps have no details: [].
    """
    detail = step.detail
    if "changes" in detail:
        return [_change_text(name, *values) for name, values in detail["changes"].items()]
    if step.action == "forward":
        department_names = {
            d.id: localized_name(d, locale())
            for d in departments.list_departments(active_only=False)
        }
        lines = [
            f"{department_names.get(detail['from'], '–')}: "
            f"{department_names.get(detail['to'], '–')}"
        ]
        return lines + ([_("later than the 5 days of article 25")] if detail["late"] else [])
    if step.action == "extend":
        dates = (formats.date(dt.date.fromisoformat(detail[key])) for key in ("from", "to"))
        return [_("from %(before)s to %(after)s", before=next(dates), after=next(dates))]
    if step.action == "take" and detail:
        return [
            _("from %(name)s", name=actor_name(detail["from"], accounts.display_names(locale())))
        ]
    return []


def _change_text(name: str, old_value: str, new_value: str) -> str:
    """Return the correction of the field `name` as text: its label, old and new value."""
    field = labels.FIELDS[name if name in labels.FIELDS else name.removesuffix("_text")]
    return f"{field}: {_value_text(name, old_value) or '–'} / {_value_text(name, new_value) or '–'}"


def _value_text(name: str, value: str) -> str:
    """Return a value of the field `name` for display; that of an unknown field is unchanged."""
    if name == "consultation":
        return _("yes") if value else ""
    field = forms.latest_field(name)
    return labels.field_display(field, {field.name: value}) if field else value
