"""Texts about change requests: their state, the steps taken, and the changes made for them."""

import datetime as dt
from typing import TYPE_CHECKING

from flask import url_for
from flask_babel import LazyString, lazy_gettext, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import catalogs, forms
from appliance.casework.appeals import deadlines
from appliance.casework.changes import states, terms
from appliance.casework.forms import comparing, editing
from appliance.core.clock import WorkingCalendar
from appliance.core.i18n import localized_name
from appliance.telephony.routing import Difference
from appliance.web.settings import form_labels, routing_labels
from appliance.web.settings.prompt_labels import prompt_title as prompt_title
from appliance.web.shared import articles
from appliance.web.shared.appeal_labels import Nearness
from appliance.web.shell.access import can_open
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import ChangeLink, ChangeRequest

# By state: its name, the badge's kind, the icon.
STATES: dict[str, tuple[LazyString, str, str]] = {
    state.code: (lazy_gettext(state.name), state.tone, state.icon)
    for state in states.WORKFLOW.states
}
KINDS: dict[str, LazyString] = {kind.code: lazy_gettext(kind.name) for kind in terms.CHANGE_KINDS}
# By action of states.WORKFLOW: the name of the completed step, the icon, the dot's colour.
STEP_LABELS: dict[str, tuple[LazyString, str, str]] = {
    "ask": (_l("Request written"), "file-text", "accent"),
    "accept": (_l("Accepted as a change request"), "check", ""),
    "begin": (_l("Work started"), "hourglass", ""),
    "finish": (_l("Change completed"), "circle-check", "ok"),
    "question": (_l("Returned with a question"), "circle-help", "warn"),
    "answer": (_l("Answer to the question"), "message-square", ""),
    "approve": (_l("Accepted by the ministry"), "archive", "ok"),
    "send_back": (_l("Returned: not done as requested"), "undo-2", "warn"),
}
# By action: the text of its button.
BUTTONS: dict[str, LazyString] = {
    "accept": _l("Accept for work"),
    "begin": _l("Start working"),
    "finish": _l("Mark as done"),
    "question": _l("Return with a question"),
    "answer": _l("Answer the question"),
    "approve": _l("Accept the completed work"),
    "send_back": _l("Send back"),
}
TROUBLES: dict[str, LazyString] = {
    "kind": _l("Choose the kind of change: the term depends on it."),
    "what": _l("Write what is to be changed."),
    "why": _l("Enter the reason for the change."),
    "words": _l("Write the text first."),
    "file": _l("A file is empty or larger than 5 MB. Choose the files again."),
    "files": _l("At most three files can be sent at once. Choose the files again."),
    "full": _l(
        "A request holds at most 20 MB of files in total: there is no room for these files."
    ),
    "day": _l("One person can send up to 30 MB of files in 24 hours: send the rest later."),
    "changed": _l("Another user was faster: look at what was done, then decide again."),
}
# By kind of a change that is linked to a request (changes.links.KINDS).
LINK_KIND_LABELS: dict[str, LazyString] = {
    "routing": _l("Telephony"),
    "prompt": _l("Prompt"),
    "department": _l("Department"),
    "direction": _l("Departments by direction"),
    "employee": _l("Directory of employees"),
    "list": _l("List"),
    "form": _l("Form"),
    "article": _l("Article"),
    "script": _l("Script"),
}
# By name of a changed field in a link.
FIELD_LABELS: dict[str, LazyString] = {
    "name_uz_latn": _l("Name in Uzbek (Latin)"),
    "name_uz_cyrl": _l("Name in Uzbek (Cyrillic)"),
    "name_ru": _l("Name in Russian"),
    "own_body": _l("Independent body"),
    "active": _l("In use"),
    "name": _l("Name"),
    "position": _l("Position"),
    "department": _l("Department"),
    "number": _l("Number"),
    "hours": _l("Hours"),
    "substitute": _l("Substitute"),
    "text": _l("Text"),
    "version": _l("Version"),
    "active_from": _l("Active from"),
    "active_until": _l("Active until"),
}
FLAG_FIELDS = ("own_body", "active")


def deadline_nearness(
    request: "ChangeRequest",
    done_at: dt.datetime | None,
    now: dt.datetime,
    calendar: WorkingCalendar,
) -> Nearness | None:
    """Return how near the deadline of an open request is, or that a request was done late.

    `done_at` is when the work was done, if it is done. Returns None for a request that was done in
    time, or that is closed and was never done.
    """
    if done_at or not request.is_open:
        late = done_at and done_at > request.due_at
        return Nearness(_("done late"), "warn", "clock") if late else None
    today, due_date = (
        datetime.astimezone(calendar.tz).date() for datetime in (now, request.due_at)
    )
    if now > request.due_at:
        late_days = (today - due_date).days
        if not late_days:
            return Nearness(_("the term is over"), "bad", "octagon-alert")
        text = ngettext("%(num)s day overdue", "%(num)s days overdue", late_days)
        return Nearness(text, "bad", "octagon-alert")
    if today == due_date:
        return Nearness(_("Today"), "warn", "clock")
    days_left = deadlines.working_days_left(today, due_date, calendar)
    text = ngettext("%(num)s working day", "%(num)s working days", days_left)
    return Nearness(
        text, "warn" if days_left == 1 else "", "clock" if days_left == 1 else "calendar"
    )


def term_text(request: "ChangeRequest") -> str:
    """Return the time allowed for a request as text, in working days."""
    days = terms.KINDS_BY_CODE[request.kind].days
    return str(ngettext("%(num)s working day", "%(num)s working days", days))


def changed_object_title(link: "ChangeLink") -> str:
    """Return the title of the object that a linked change concerns, with its kind.

    A link is a change that was made for a change request.
    """
    name = prompt_title(link.title) if link.kind == "prompt" else link.title
    if link.kind == "routing":
        name = _("Version %(number)s", number=link.ref)
    if link.kind == "list":
        name = _list_title(link.ref)
    if link.kind == "form":
        form, number = link.ref.split("/")
        title = forms.definition_in_force(form).title[locale()]
        return f"{title}: {_('Version %(number)s', number=number)}"
    return f"{LINK_KIND_LABELS[link.kind]}: {name}" if name else str(LINK_KIND_LABELS[link.kind])


def changed_object_url(link: "ChangeLink") -> str:
    """Return the address of the changed object, or "" if the user may not open it.

    `link.ref` identifies the object. Its format depends on the kind: an id or a number, or two
    parts with a slash, such as "LANGUAGE/NAME" of a prompt and "FORM/VERSION" of a form.
    """
    match link.kind:
        case "routing":
            endpoint, values = "routing.show_version", {"number": link.ref}
        case "prompt":
            language, _slash, name = link.ref.partition("/")
            endpoint, values = "prompts.show_prompt", {"language": language, "name": name}
        case "department" | "direction":
            endpoint, values = "departments.show_departments", {}
        case "list":
            endpoint, values = "lists.show_list", {"name": link.ref.partition("/")[0]}
        case "form":
            form, number = link.ref.split("/")
            against = link.before["version"]
            endpoint = "form_versions.show_version"
            values = {"form": form, "number": number, "against": against}
        case "article":
            slug, number = link.ref.rsplit("/", 1)
            endpoint, values = "articles.show_version", {"slug": slug, "number": number}
        case "script":
            script, number = link.ref.split("/")
            endpoint, values = "scripts.show_version", {"code": script, "number": number}
        case _:
            endpoint, values = "directory.show_employee", {"number": link.ref}
    return url_for(endpoint, **values) if can_open(endpoint) else ""


def link_differences(link: "ChangeLink") -> list[tuple[str, str, str]]:
    """Return (field, before, after) of each field that a linked change changed, as text."""
    if link.kind == "form":
        return _form_differences(link)
    fields = dict.fromkeys((*link.before, *link.after))
    return [_field_difference(link, name) for name in fields]


def _field_difference(link: "ChangeLink", name: str) -> tuple[str, str, str]:
    """Return the label of a changed field, and its value before and after, as text.

    `name` is the key of the field in `link.before` and `link.after`.
    """
    before, after = link.before.get(name), link.after.get(name)
    if link.kind == "routing":
        return _routing_difference_texts(Difference(*split_link_field_name(name), before, after))
    if link.kind == "direction":
        return catalogs.value_label("direction", name, locale()), before or "–", after or "–"
    if link.kind == "list" and "/" in name:  # one value of a list, as opposed to the list itself
        code, name = name.split("/")
        value = catalogs.value_label(link.ref, code, locale())
        return (
            f"{value} · {FIELD_LABELS[name]}",
            _value_text(name, before),
            _value_text(name, after),
        )
    fields = articles.FIELDS if link.kind == "article" else FIELD_LABELS
    return str(fields.get(name, name)), _value_text(name, before), _value_text(name, after)


def _value_text(name: str, value: str | None) -> str:
    """Return a field's value as text: yes or no for a flag, else "–" for an empty value or None."""
    if name in FLAG_FIELDS:
        return str(_("yes") if value else _("no"))
    return value or "–"


def _list_title(ref: str) -> str:
    """Return the title of a list by `ref`, its code; for "list/code", with the value's name."""
    name, _slash, code = ref.partition("/")
    catalog = catalogs.find_catalog(name)
    title = localized_name(catalog, locale()) if catalog else name
    return f"{title}: {catalogs.value_label(name, code, locale())}" if code else title


def _form_differences(link: "ChangeLink") -> list[tuple[str, str, str]]:
    """Return (field, before, after) of each field that a new version of a form changed.

    If the earlier version is not stored, the version in force is compared instead.
    """
    form, number = link.ref.split("/")
    rows = (
        editing.find_version(form, int(version_number))
        for version_number in (link.before["version"] or 0, number)
    )
    before, after = (
        forms.stored_definition(row) if row else forms.definition_in_force(form) for row in rows
    )
    return [
        form_labels.field_change_texts(change) for change in comparing.field_changes(before, after)
    ]


def _routing_difference_texts(difference: Difference) -> tuple[str, str, str]:
    """Return a difference between two routing plans as texts: field, value before, value after."""
    field = routing_labels.FIELDS.get(f"{difference.part}.{difference.field}", "")
    label = " · ".join(
        str(text) for text in (routing_labels.PARTS[difference.part], difference.row, field) if text
    )
    before, after = (
        str(routing_labels.value_label(difference, value))
        for value in (difference.before, difference.after)
    )
    return label, before, after


def link_field_name(difference: Difference) -> str:
    """Return the name under which a change request stores a difference of plans: "part/field/row".

    The row is last because its name may contain a slash.
    """
    return f"{difference.part}/{difference.field}/{difference.row}"


def split_link_field_name(name: str) -> tuple[str, str, str]:
    """Split a name made by `link_field_name` into part, row and field."""
    part, field, row = name.split("/", 2)
    return part, row, field
