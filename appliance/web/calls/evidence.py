"""Evidence packs: signed files with all that is stored about a call or an appeal.

They are made for a complaint or a court: requested with a reason on the page of the call or appeal,
and downloaded here.
"""

from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from appliance.core import audit, signatures
from appliance.core.refusals import Refused
from appliance.people import accounts
from appliance.reports import evidence
from appliance.web.shared.evidence import STATES, TROUBLES
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may, show_tab_when
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import local_address

screen = Blueprint("evidence", __name__, url_prefix="/evidence")


@screen.get("")
@show_tab_when(lambda: evidence.can_make_packs(me()))
@may("evidence.make")
def list_packs() -> str:
    """Show the packs that the user may download, and the fingerprint of the signing key."""
    return render_template(
        "evidence/page.html", **_pack_list_context(), fingerprint=_key_fingerprint()
    )


@screen.get("/list")
@may("evidence.make")
def show_pack_list() -> str:
    """Show the list of packs as a fragment of the open page."""
    return render_template("evidence/list.html", **_pack_list_context())


@screen.post("")
@may("evidence.make")
def request_pack() -> BaseResponse:
    """Request a pack about a call or an appeal, for a `reason`; it is made in the background.

    The form has the call's id in `call` or the appeal's number in `appeal`.
    """
    call_id, appeal = (request.form.get(name, "")[:100] for name in ("call", "appeal"))
    return_url = local_address(request.form.get("back", "")) or url_for(".list_packs")
    try:
        evidence.request_pack(site(), me(), call_id, appeal, request.form.get("reason", ""))
    except PermissionError:
        abort(403)
    except LookupError:
        abort(404)
    except Refused as error:
        return refusals.redirect_back(return_url, error.code, "evidence")
    flash(_("The pack is being made; it appears here shortly."))
    return redirect(f"{return_url}#evidence")


@screen.get("/<int:number>.zip")
@may("evidence.make")
@long_running
def download_pack(number: int) -> Response:
    """Send a pack; the download is recorded in the audit log before the file is sent.

    Aborts with 404 if the user may not download it, or its file is not ready or was removed.
    """
    pack = evidence.find_pack(number, me()) or abort(404)
    content = evidence.pack_file(site(), pack) or abort(404)
    subject = pack.appeal or pack.call_id
    audit.record_entry(me().login, "evidence.download", subject, pack=pack.id, sha256=pack.sha256)
    return send_file(
        content, mimetype="application/zip", as_attachment=True, download_name=pack.file, max_age=0
    )


def _pack_list_context() -> dict[str, Any]:
    """Return the context of the list of packs; `days`: for how long a pack is stored.

    That the appeals and calls of the packs are shown is recorded in the audit.
    """
    packs = evidence.visible_packs(me())
    disclosure.log_shown("appeal", [pack.appeal for pack in packs if pack.appeal])
    disclosure.log_shown("call", [pack.call_id for pack in packs if not pack.appeal])
    return {
        "packs": packs,
        "states": STATES,
        "names": accounts.display_names(locale()),
        "days": evidence.RETENTION_PERIOD.days,
        "troubles": TROUBLES,
    }


def _key_fingerprint() -> str:
    """Return the fingerprint of the public key, to be compared with the one in a pack.

    Returns "" if there is no valid key.
    """
    try:
        key = signatures.public_keys(site().audit.public_key, "audit.public_key")[0]
    except signatures.SigningKeyError:
        return ""
    return signatures.key_fingerprint(key)
