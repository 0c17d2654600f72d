"""How it is told where a change request stands, what was done with it, what was changed for it."""

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
from appliance.core.i18n import named
from appliance.telephony.routing import Difference
from appliance.web.appeals.appeal_labels import Nearness
from appliance.web.knowledge import words as article_words
from appliance.web.settings import form_words, routing_words
from appliance.web.settings.prompt_words import title as prompt_title
from appliance.web.shell.access import allowed
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import ChangeLink, ChangeRequest

# state: name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    state.code: (lazy_gettext(state.name), state.tone, state.icon) for state in states.ALL
}
KINDS: dict[str, LazyString] = {kind.code: lazy_gettext(kind.name) for kind in terms.ALL}
# action of states.MOVES: what was done, the icon, the dot's colour
DONE: dict[str, tuple[LazyString, str, str]] = {
    "ask": (_l("Request written"), "file-text", "accent"),
    "accept": (_l("Accepted for work"), "check", ""),
    "begin": (_l("Work begun"), "hourglass", ""),
    "finish": (_l("Change done"), "circle-check", "ok"),
    "question": (_l("Returned with a question"), "circle-help", "warn"),
    "answer": (_l("Question answered"), "message-square", ""),
    "approve": (_l("Accepted by the ministry"), "archive", "ok"),
    "send_back": (_l("Sent back: not done as asked"), "undo-2", "warn"),
}
# action: what its button says
BUTTONS: dict[str, LazyString] = {
    "accept": _l("Accept for work"),
    "begin": _l("Begin the work"),
    "finish": _l("It is done"),
    "question": _l("Return with a question"),
    "answer": _l("Answer the question"),
    "approve": _l("Accept what was done"),
    "send_back": _l("Send back"),
}
TROUBLES: dict[str, LazyString] = {
    "kind": _l("Choose what kind of change it is: the term depends on it."),
    "what": _l("Write what is to be changed."),
    "why": _l("Write why it is to be changed."),
    "words": _l("Write the text first."),
    "file": _l("A file is empty or larger than 5 MB. Choose the files again."),
    "files": _l("At most three files can be sent at once. Choose the files again."),
    "full": _l("A request holds up to 20 MB of files in all: this one has no room for these."),
    "day": _l("One person can send up to 30 MB of files in 24 hours: send the rest later."),
    "changed": _l("Somebody was faster: look at what was done, then decide anew."),
}
# kind of what was changed for a request (changes.links.KINDS)
THINGS: dict[str, LazyString] = {
    "routing": _l("Telephony"),
    "prompt": _l("Prompt"),
    "department": _l("Department"),
    "direction": _l("Which department gets which direction"),
    "employee": _l("Directory"),
    "list": _l("List"),
    "form": _l("Form"),
    "article": _l("Article"),
    "script": _l("Script"),
}
# field of a thing, as a link keeps it
FIELDS: dict[str, LazyString] = {
    "name_uz_latn": _l("Name in Uzbek (Latin)"),
    "name_uz_cyrl": _l("Name in Uzbek (Cyrillic)"),
    "name_ru": _l("Name in Russian"),
    "own_body": _l("Body of its own"),
    "active": _l("In use"),
    "name": _l("Name"),
    "position": _l("Position"),
    "department": _l("Department"),
    "number": _l("Number"),
    "hours": _l("Hours"),
    "substitute": _l("Substitute"),
    "text": _l("Text"),
    "version": _l("Version"),
    "active_from": _l("In use from"),
    "active_until": _l("In use until"),
}
FLAGS = ("own_body", "active")


def nearness(
    request: "ChangeRequest",
    done_at: dt.datetime | None,
    now: dt.datetime,
    calendar: WorkingCalendar,
) -> Nearness | None:
    """How near the end of an open request's term is; of one done late that it was; else None."""
    if done_at or not request.is_open:
        late = done_at and done_at > request.due_at
        return Nearness(_("done late"), "warn", "clock") if late else None
    today, last = (moment.astimezone(calendar.tz).date() for moment in (now, request.due_at))
    if now > request.due_at:
        late_days = (today - last).days
        if not late_days:
            return Nearness(_("the term is over"), "bad", "octagon-alert")
        words = ngettext("%(num)s day overdue", "%(num)s days overdue", late_days)
        return Nearness(words, "bad", "octagon-alert")
    if today == last:
        return Nearness(_("Today"), "warn", "clock")
    left = deadlines.working_days(today, last, calendar)
    words = ngettext("%(num)s working day", "%(num)s working days", left)
    return Nearness(words, "warn" if left == 1 else "", "clock" if left == 1 else "calendar")


def term(request: "ChangeRequest") -> str:
    """The term of a request, in words."""
    days = terms.KINDS[request.kind].days
    return ngettext("%(num)s working day", "%(num)s working days", days)


def thing(link: "ChangeLink") -> str:
    """What was changed, named."""
    name = prompt_title(link.title) if link.kind == "prompt" else link.title
    if link.kind == "routing":
        name = _("Version %(number)s", number=link.ref)
    if link.kind == "list":
        name = _list_name(link.ref)
    if link.kind == "form":
        form, number = link.ref.split("/")
        title = forms.in_force(form).title[locale()]
        return f"{title}: {_('Version %(number)s', number=number)}"
    return f"{THINGS[link.kind]}: {name}" if name else str(THINGS[link.kind])


def address(link: "ChangeLink") -> str:
    """Where the thing is to be seen; "" for who may not open it."""
    match link.kind:
        case "routing":
            endpoint, values = "routing.version", {"number": link.ref}
        case "prompt":
            language, _slash, name = link.ref.partition("/")
            endpoint, values = "prompts.one", {"language": language, "name": name}
        case "department" | "direction":
            endpoint, values = "departments.page", {}
        case "list":
            endpoint, values = "lists.one", {"name": link.ref.partition("/")[0]}
        case "form":
            form, number = link.ref.split("/")
            against = link.before["version"]
            endpoint = "form_versions.version"
            values = {"form": form, "number": number, "against": against}
        case "article":
            slug, number = link.ref.rsplit("/", 1)
            endpoint, values = "articles.version", {"slug": slug, "number": number}
        case "script":
            script, number = link.ref.split("/")
            endpoint, values = "scripts.version", {"code": script, "number": number}
        case _:
            endpoint, values = "directory.employee", {"number": link.ref}
    return url_for(endpoint, **values) if allowed(endpoint) else ""


def differences(link: "ChangeLink") -> list[tuple[str, str, str]]:
    """(field, before, after) of what was changed, in the reader's words."""
    if link.kind == "form":
        return _in_form(link)
    fields = dict.fromkeys((*link.before, *link.after))
    return [_difference(link, name) for name in fields]


def _difference(link: "ChangeLink", name: str) -> tuple[str, str, str]:
    before, after = link.before.get(name), link.after.get(name)
    if link.kind == "routing":
        return _in_plan(Difference(*split_field(name), before, after))
    if link.kind == "direction":
        return catalogs.label("direction", name, locale()), before or "–", after or "–"
    if link.kind == "list" and "/" in name:  # of one value of many
        code, name = name.split("/")
        value = catalogs.label(link.ref, code, locale())
        return f"{value} · {FIELDS[name]}", _value_text(name, before), _value_text(name, after)
    fields = article_words.FIELDS if link.kind == "article" else FIELDS
    return str(fields.get(name, name)), _value_text(name, before), _value_text(name, after)


def _value_text(name: str, value: str | None) -> str:
    if name in FLAGS:
        return _("yes") if value else _("no")
    return value or "–"


def _list_name(ref: str) -> str:
    """A list, or "list/code" one value of it, named."""
    name, _slash, code = ref.partition("/")
    found = catalogs.catalog(name)
    title = named(found, locale()) if found else name
    return f"{title}: {catalogs.label(name, code, locale())}" if code else title


def _in_form(link: "ChangeLink") -> list[tuple[str, str, str]]:
    form, number = link.ref.split("/")
    rows = (editing.version(form, int(of)) for of in (link.before["version"] or 0, number))
    before, after = (forms.definition_of(row) if row else forms.in_force(form) for row in rows)
    return [form_words.difference(change) for change in comparing.changes(before, after)]


def _in_plan(one: Difference) -> tuple[str, str, str]:
    field = routing_words.FIELDS.get(f"{one.part}.{one.field}", "")
    label = " · ".join(
        str(word) for word in (routing_words.PARTS[one.part], one.row, field) if word
    )
    before, after = (str(routing_words.shown(one, value)) for value in (one.before, one.after))
    return label, before, after


def field_of(one: Difference) -> str:
    """A field of the telephony's plan under one name, for a link."""
    return f"{one.part}/{one.field}/{one.row}"


def split_field(name: str) -> tuple[str, str, str]:
    """Part, row and field of such a name."""
    part, field, row = name.split("/", 2)
    return part, row, field
