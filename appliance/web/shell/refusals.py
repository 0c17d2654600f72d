"""Refused forms: the browser is redirected to the form's page, which shows why and what was typed.

So the address stays that of a page: it can be reloaded, forwarded or opened in another language.

    if trouble:
        return refusals.redirect_back(url_for(".show_form"), "name")    # in the view of the form
    …
    was = refusals.latest_refusal()                        # in the view of the page
    render_template(…, trouble=TROUBLES.get(was.trouble), typed=was.values)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from flask import flash, redirect, request
from flask_babel import LazyString, lazy_gettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.core.refusals import Refused
from appliance.people import refused_forms
from appliance.web.shell.context import me
from appliance.web.shell.errors import SECRET_FIELDS

REFUSAL_ARGUMENT = "refused"


@dataclass(frozen=True)
class Refusal:
    """A refused form: the values submitted to `address` and the code of the reason (`trouble`).

    If no form was refused, everything is empty and the object is false.
    """

    address: str = ""
    trouble: str = ""
    values: MultiDict[str, str] = field(default_factory=MultiDict)

    def __bool__(self) -> bool:
        return bool(self.trouble)


def redirect_back(page: str, trouble: str, anchor: str = "", **more: str) -> Response:
    """Redirect from a refused form to a page; `latest_refusal` returns there what is stored here.

    That is `trouble`, the submitted fields and `more`, further values for the page. Passwords and
    the form's token are not stored. `anchor` is the id of the form's element on that page.
    """
    submitted = {
        name: texts
        for name, texts in request.form.lists()
        if not any(secret in name for secret in SECRET_FIELDS)
    }
    submitted |= {name: [text] for name, text in more.items()}
    token = refused_forms.save_form(me(), request.path, trouble, submitted)
    separator = "&" if "?" in page else "?"
    address = (
        f"{page}{separator}{urlencode({REFUSAL_ARGUMENT: token})}{'#' + anchor if anchor else ''}"
    )
    return redirect(address, 303)


def run_and_redirect(
    page: str,
    action: Callable[[], object],
    message: str = "",
    *,
    anchor: str = "",
    refusal_anchor: str = "",
) -> Response:
    """Run `action` and redirect to a page, which shows `message`, or why the action was refused.

    `anchor` is the id of the element that the page scrolls to; `refusal_anchor`, after a refusal.
    """
    try:
        action()
    except Refused as refused:
        return redirect_back(page, refused.code, refusal_anchor)
    if message:
        flash(message)
    return redirect(f"{page}#{anchor}" if anchor else page)


def latest_refusal() -> Refusal:
    """Return the refusal that the address of this page refers to, or else an empty one.

    Another user's refusal is not returned.
    """
    token = request.args.get(REFUSAL_ARGUMENT, "")
    refusal = refused_forms.find_form(me(), token) if token else None
    return (
        Refusal(refusal.address, refusal.trouble, MultiDict(refusal.values))
        if refusal
        else Refusal()
    )


def trouble_message(texts: Mapping[str, LazyString], code: str) -> LazyString | None:
    """Return the text for the code of a refusal; a general text if the code is unknown.

    Returns None if the code is empty.
    """
    return texts.get(code, lazy_gettext("This is not possible.")) if code else None
