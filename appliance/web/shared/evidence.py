"""The panel of evidence packs on the page of a call or an appeal.

A pack is a signed file with all that is stored about them, for a complaint or a court.
"""

from typing import Any

from flask import url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.reports import evidence
from appliance.web.shell import refusals
from appliance.web.shell.context import me

# By state of a pack: its name, the badge's kind, the icon.
STATES: dict[str, tuple[LazyString, str, str]] = {
    "asked": (_l("Being prepared…"), "accent", "hourglass"),
    "made": (_l("Ready"), "ok", "circle-check"),
    "failed": (_l("Failed"), "bad", "octagon-alert"),
    "gone": (_l("Removed"), "", "archive"),
}
TROUBLES: dict[str, LazyString] = {
    "reason": _l("State what the pack is for."),
    "closed": _l("This includes a personal appeal: first open it, giving a reason."),
    "key": _l("The system has no signing key: the technician sets it under [audit]."),
}


def pack_panel_context(call_id: str = "", appeal: str = "") -> dict[str, Any]:
    """Return the context of evidence/panel.html for an appeal (its number), or else for a call.

    `packs` in it is None if the user may not make packs. `pack_trouble` and `pack_reason` say why
    the request for a pack was just refused, and which reason was typed.
    """
    if not evidence.can_make_packs(me()):
        return {"packs": None}
    packs = (
        evidence.packs_of_appeal(appeal, me()) if appeal else evidence.packs_of_call(call_id, me())
    )
    refusal = refusals.latest_refusal()
    is_own_refusal = refusal.address == url_for("evidence.request_pack")
    return {
        "packs": packs,
        "pack_states": STATES,
        "pack_of": {"call": call_id, "appeal": appeal},
        "pack_trouble": TROUBLES.get(refusal.trouble) if is_own_refusal else None,
        "pack_reason": refusal.values.get("reason", "") if is_own_refusal else "",
    }
