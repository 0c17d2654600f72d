"""Sign-ins by the stored password while the directory (LDAP) was unreachable."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check, local_time_text
from appliance.core import clock
from appliance.core.audit import entries
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.people import ldap

MAX_SIGN_INS = 100  # reported at most
FAULT_PERIOD = dt.timedelta(hours=1)  # for which each sign-in counts as a fault


def check_directory_fallbacks(settings: Settings) -> Iterator[Check]:
    """Yield a fault for each sign-in by the stored password, so that each raises its own alarm."""
    if settings.ldap is None:
        return
    sign_ins = entries.list_entries(
        entries.EntryFilters(action=ldap.FALLBACK_ACTION, since=clock.now() - FAULT_PERIOD),
        MAX_SIGN_INS,
    )
    for sign_in in sign_ins:
        yield Check(
            f"directory.fallback.{sign_in.id}",
            N_("Sign-in of {login} without the directory"),
            "fail",
            N_("sign-in {moment} with the stored password, while the directory did not answer"),
            N_(
                "Ask the person whether they signed in then. If not, close the account on the page "
                "People. Get the directory to answer again; if the fallback is not needed, switch "
                "it off."
            ),
            {"login": sign_in.subject, "moment": local_time_text(sign_in.at, settings)},
        )
    if not sign_ins:
        finding = N_("nobody signed in without it in the last hour")
        yield Check("directory.fallback", N_("Directory of passwords (LDAP)"), "ok", finding)
