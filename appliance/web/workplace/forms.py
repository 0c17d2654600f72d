"""The forms on the operator's page: what they show, saving while one types, registering."""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, jsonify, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.casework import appeals, applicants, call_forms, catalogs, forms, ministry
from appliance.casework.appeals import additions
from appliance.casework.forms import drafts as kept_drafts
from appliance.core import phone_numbers
from appliance.messaging import notices
from appliance.web.shell import disclosure, formats, labels, numbers
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale
from appliance.web.shell.sent import document, moment

if TYPE_CHECKING:
    from appliance.models import Appeal, CallForm, Draft

screen = Blueprint("forms", __name__, url_prefix="/operator/forms")


@screen.post("/<token>")
@may("desk.work")
def save(token: str) -> Response | tuple[Response, int]:
    """Keep what is typed, and answer what is doubtful in it; 409 when it was registered before."""
    values, sent = values_sent(token), document()
    form = _form_of(sent)
    aside, typed_at = bool(sent.get("aside")), moment(sent.get("at"))
    base = values_sent(token, "base") if "base" in sent else None
    try:
        draft = appeals.save_draft(
            me(), token, values, form=form, aside=aside, typed_at=typed_at, base=base
        )
    except appeals.AlreadyRegistered as before:
        return _registered(before.registered), 409
    except appeals.TooMany:
        return jsonify(unfinished=appeals.MOST), 413
    saved_at, saved = draft.updated_at.isoformat(), _saved(draft)
    elsewhere = _elsewhere(values, draft.values) if base is not None else {}
    doubtful = doubts(forms.in_force(form), draft.values)
    call = appeals.call_of(me(), token)
    phone = call.citizen if call else None
    seen = additions.recognise(draft.values, phone, today(), me()).key
    return jsonify(saved_at=saved_at, saved=saved, elsewhere=elsewhere, recognised=seen, **doubtful)


@screen.post("/<token>/register")
@may("desk.work")
def register(token: str) -> Response:
    """Register the appeal, whatever its form lacks; sent twice, it is the same appeal."""
    calendar = catalogs.working_calendar(site())

    def announce(appeal: "Appeal") -> None:
        notices.registered(site(), appeal)
        notices.alert(site(), calendar, appeal)
        ministry.registered(site(), appeal)

    made = appeals.register(
        values_sent(token),
        operator=me(),
        token=token,
        tz=site().tz,
        calendar=calendar,
        tell=announce,
    )
    return _registered(made)


@screen.post("/<token>/register-call")
@may("desk.work")
def register_call(token: str) -> Response:
    """Register the call alone, on form №2; `silent` says that nothing was said, and why."""
    values, silent = values_sent(token), document().get("silent")
    if silent is not None:
        if silent not in call_forms.SILENT:
            abort(422)
        values = values | {"call_type": silent, "call_type_text": ""}
    draft = appeals.draft(me(), token)
    other = kept_drafts.not_of(forms.CALL, draft.values) if draft else {}
    calendar = catalogs.working_calendar(site())

    def announce(form: "CallForm") -> None:
        notices.alert_call(site(), calendar, form)

    try:
        made = call_forms.register(
            other | values, operator=me(), token=token, tz=site().tz, tell=announce
        )
    except call_forms.NoCall:
        abort(422)
    return _registered(made)


@screen.post("/<token>/discard")
@may("desk.work")
def discard(token: str) -> Response:
    """Throw a draft away."""
    appeals.discard_draft(me(), token)
    return jsonify(done=True)


def form_context(desk: appeals.Desk, form: str = "") -> dict[str, object]:
    """What the template of an open form needs; `form` is the one that was asked for."""
    form = opened(desk, form)
    known = {} if desk.draft else _known(desk, form)
    values = _fresh(desk) | known
    if desk.draft:  # what only a form asks that was not open yet stands in it as in a fresh one
        seen = forms.in_force(desk.draft.form).names
        values = {n: t for n, t in values.items() if n not in seen} | desk.draft.values
    disclosure.log_shown("draft", [desk.token])
    kinds = catalogs.labels("call_type", locale())
    return {
        **drawn(forms.in_force(form), values, fresh=not desk.draft),
        "known": known,
        "silent": [(code, kinds[code]) for code in call_forms.SILENT if code in kinds],
        "saved": _saved(desk.draft) if desk.draft else "",
        "saved_at": desk.draft.updated_at.isoformat() if desk.draft else "",
    }


def opened(desk: appeals.Desk, asked: str = "") -> str:
    """Which form lies open: the one asked for, else that of the draft; form №2 of a fresh call.

    Without a call, or when the call is on form №2 already, it is form №1.
    """
    if not desk.call or desk.call_form:
        return forms.APPEAL
    if asked in forms.FORMS:
        return asked
    return desk.draft.form if desk.draft else forms.CALL


def drawn(
    definition: forms.Definition, values: dict[str, str], fresh: bool = False
) -> dict[str, object]:
    """What operator/fields.html needs to draw a form that holds the values."""
    return {
        "definition": definition,
        "values": worded(values),
        "labels": labels,
        "choices_of": _choices_of,
        "known": (),
        **doubts(definition, values, fresh=fresh),
    }


def _choices_of(field: forms.Field) -> list[tuple[str, str]]:
    """(code, name) of the answers of a field that has few of them."""
    if field.list:
        return catalogs.choices(field.list, locale(), today())
    return [(option.code, option.called(locale())) for option in field.options]


def doubts(
    definition: forms.Definition, values: dict[str, str], fresh: bool = False
) -> dict[str, object]:
    """Field → wording of its doubt, the empty fields, and the line that counts them."""
    codes = [str(doubt) for doubt in forms.read(definition, values, today()).doubts]
    worded, empty = labels.doubts_by_field(codes, definition), labels.empty_fields(codes)
    summary = render_template(
        "operator/summary.html", doubts=worded, empty=[] if fresh else empty, labels=labels
    )
    return {"doubts": worded, "empty": empty, "summary": summary}


def drafts(besides: str = "") -> "list[Draft]":
    """The operator's drafts to finish, besides the one that is open."""
    found = [draft for draft in appeals.drafts(me()) if draft.token != besides]
    disclosure.log_shown("draft", [draft.token for draft in found])
    return found


def _elsewhere(sent: dict[str, str], kept: dict[str, str]) -> dict[str, str]:
    """Field → what is kept of it, where that is not what was sent: another page changed it."""
    asked = kept_drafts.names()
    sent, kept = worded(kept_drafts.cleaned_of_both(sent, asked)), worded(kept)
    return {n: kept.get(n, "") for n in asked if kept.get(n, "") != sent.get(n, "")}


def values_sent(token: str, name: str = "values") -> dict[str, str]:
    """The values of a form that were sent as JSON, with the numbers that masks stand for; else
    422, and 404 for a form of somebody else's."""
    if not appeals.is_his(me(), token):
        abort(404)
    values = document().get(name)
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        abort(422)
    draft, call = appeals.draft(me(), token), appeals.call_of(me(), token)
    return meant(values, draft.values if draft else {}, call.citizen if call else None)


def meant(
    values: dict[str, str], kept: dict[str, str], caller: str | None = None
) -> dict[str, str]:
    """The values with the numbers for which masks were sent: what is kept of the form, the
    caller's, and those that people with his number have told."""
    sent = [name for name, text in values.items() if "*" in text and labels.is_phone(name)]
    if not sent:
        return values
    told = [appeals.known_values(person, me()) for person in applicants.with_phone(caller)]
    known = [text for one in (kept, *told) for name, text in one.items() if labels.is_phone(name)]
    return values | {n: numbers.meant(values[n], kept.get(n), caller, *known) for n in sent}


def _fresh(desk: appeals.Desk) -> dict[str, str]:
    phone = phone_numbers.grouped(desk.call.citizen) if desk.call and desk.call.citizen else ""
    told = call_forms.prefilled(desk.call) if desk.call else {}
    fields = [field for form in forms.FORMS for field in forms.in_force(form).fields]
    given = {field.name: field.given for field in fields if field.given}
    return given | {"phone": phone} | told


def _known(desk: appeals.Desk, form: str) -> dict[str, str]:
    """Of form №2, what is known of the one person with the caller's number."""
    known = applicants.with_phone(desk.call.citizen if desk.call else None)
    if form != forms.CALL or len(known) != 1:
        return {}
    asked = {n for f in forms.in_force(form).fields if not f.anew for n in f.names}
    return {n: t for n, t in appeals.known_values(known[0], me()).items() if n in asked}


def _form_of(sent: dict[str, object]) -> str:
    form = sent.get("form", forms.APPEAL)
    return str(form) if form in forms.FORMS else abort(422)


def worded(values: dict[str, str]) -> dict[str, str]:
    """The values as the page has them: names of what was chosen, numbers that may be masked."""
    fields = [f for form in forms.FORMS for f in forms.in_force(form).fields if f.chosen]
    names = {f.name: labels.shown(f, code) for f in fields if (code := values.get(f.name))}
    phones = {n: numbers.seen(text) for n, text in values.items() if text and labels.is_phone(n)}
    return values | phones | {f"{name}_text": text for name, text in names.items()}


def _saved(draft: "Draft") -> str:
    return _("Draft saved, %(time)s", time=formats.time(draft.updated_at))


def _registered(made: "Appeal | CallForm") -> Response:
    page = "appeals.page" if appeals.is_number(made.number) else "call_forms.page"
    return jsonify(number=made.number, url=url_for(page, number=made.number))
