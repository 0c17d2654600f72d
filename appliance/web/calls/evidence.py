"""Evidence packs: asked for by a reason on the page of a call or an appeal, fetched here."""

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file
from flask import url_for as address_of
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.core import audit, signatures
from appliance.people import accounts
from appliance.reports import evidence
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may, shown_when
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale
from appliance.web.shell.sent import ours

screen = Blueprint("evidence", __name__, url_prefix="/evidence")

# state: its name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    "asked": (_l("Being made…"), "accent", "hourglass"),
    "made": (_l("Ready"), "ok", "circle-check"),
    "failed": (_l("Failed"), "bad", "octagon-alert"),
    "gone": (_l("Removed"), "", "archive"),
}
TROUBLES: dict[str, LazyString] = {
    "reason": _l("Say what the pack is for."),
    "closed": _l("A personal appeal is part of it: open that one for a reason first."),
    "key": _l("The system has no key to sign with: the technician sets it under [audit]."),
}


@screen.get("")
@shown_when(lambda: evidence.may_make(me()))
@may("evidence.make")
def page() -> str:
    """The packs that whoever asks may have, and the fingerprint of the key that signs them."""
    return render_template("evidence/page.html", **_list(), fingerprint=_fingerprint())


@screen.get("/list")
@may("evidence.make")
def table() -> str:
    """The same, as a piece of the open page."""
    return render_template("evidence/list.html", **_list())


@screen.post("")
@may("evidence.make")
def ask() -> BaseResponse:
    """Have a pack made of a `call` or an `appeal`, for a `reason`."""
    call_id, appeal = (request.form.get(name, "")[:100] for name in ("call", "appeal"))
    there = ours(request.form.get("back", "")) or address_of(".page")
    try:
        evidence.ask(site(), me(), call_id, appeal, request.form.get("reason", ""))
    except PermissionError:
        abort(403)
    except LookupError:
        abort(404)
    except evidence.Refused as error:
        return refusals.back(there, error.code, "evidence")
    flash(_("The pack is being made; it appears here in a moment."))
    return redirect(f"{there}#evidence")


@screen.get("/<int:number>.zip")
@may("evidence.make")
@heavy
def file(number: int) -> Response:
    """A pack; that it was taken is written down before it leaves."""
    pack = evidence.find(number, me()) or abort(404)
    kept = evidence.content(site(), pack) or abort(404)
    about = pack.appeal or pack.call_id
    audit.record(me().login, "evidence.download", about, pack=pack.id, sha256=pack.sha256)
    return send_file(
        kept, mimetype="application/zip", as_attachment=True, download_name=pack.file, max_age=0
    )


def shown(call_id: str = "", appeal: str = "") -> dict[str, Any]:
    """What evidence/panel.html shows of a call or an appeal; no panel for who may not make one."""
    if not evidence.may_make(me()):
        return {"packs": None}
    packs = evidence.of_appeal(appeal, me()) if appeal else evidence.of_call(call_id, me())
    was = refusals.latest()
    mine = was.address == address_of("evidence.ask")
    return {
        "packs": packs,
        "pack_states": STATES,
        "pack_of": {"call": call_id, "appeal": appeal},
        "pack_trouble": TROUBLES.get(was.trouble) if mine else None,
        "pack_reason": was.values.get("reason", "") if mine else "",
    }


def _list() -> dict[str, Any]:
    packs = evidence.listed(me())
    disclosure.log_shown("appeal", [pack.appeal for pack in packs if pack.appeal])
    disclosure.log_shown("call", [pack.call_id for pack in packs if not pack.appeal])
    return {
        "packs": packs,
        "states": STATES,
        "names": accounts.names(locale()),
        "days": evidence.KEPT.days,
        "troubles": TROUBLES,
    }


def _fingerprint() -> str:
    """Of the public key, to be compared with that on a pack's page; "" without a key."""
    try:
        key = signatures.public_keys(site().audit.public_key, "audit.public_key")[0]
    except signatures.KeyTrouble:
        return ""
    return signatures.fingerprint(key)
