"""A form that cannot be done leads back to its page, which says why and holds what was typed.

The address is then that of a page: reloaded, sent on or opened in another language it stays right.

    if trouble:
        return refusals.back(url_for(".page"), "name")    # in the view that was sent to
    …
    was = refusals.latest()                                # in the view of the page
    render_template(…, trouble=TROUBLES.get(was.trouble), typed=was.values)
"""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from flask import redirect, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.people import refused_forms
from appliance.web.shell.context import me
from appliance.web.shell.errors import SECRET_FIELDS

ARGUMENT = "refused"


@dataclass(frozen=True)
class Refusal:
    """What was sent to `address`, and the code of why it could not be done; empty for none."""

    address: str = ""
    trouble: str = ""
    values: MultiDict[str, str] = field(default_factory=MultiDict)

    def __bool__(self) -> bool:
        return bool(self.trouble)


def back(page: str, trouble: str, anchor: str = "", **more: str) -> Response:
    """Lead to the address of a page, where `latest` finds what this request sent, and `more`.

    `anchor` is the id of the form on it. Passwords and the form's token are not kept.
    """
    sent = {
        name: texts
        for name, texts in request.form.lists()
        if not any(secret in name for secret in SECRET_FIELDS)
    }
    sent |= {name: [text] for name, text in more.items()}
    token = refused_forms.save(me(), request.path, trouble, sent)
    asked = "&" if "?" in page else "?"
    there = f"{page}{asked}{urlencode({ARGUMENT: token})}{'#' + anchor if anchor else ''}"
    return redirect(there, 303)


def latest() -> Refusal:
    """What the address of this page names, if whoever asks has sent it."""
    token = request.args.get(ARGUMENT, "")
    found = refused_forms.found(me(), token) if token else None
    return Refusal(found.address, found.trouble, MultiDict(found.values)) if found else Refusal()
