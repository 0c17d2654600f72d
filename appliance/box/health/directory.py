"""Sign-ins by the stored password while the directory (LDAP) was unreachable."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check, moment_text
from appliance.core import clock
from appliance.core.audit import entries
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.people import ldap

MOST = 100  # sign-ins that are shown
SHOWN = dt.timedelta(hours=1)  # how long each sign-in counts as a fault


def fallbacks(settings: Settings) -> Iterator[Check]:
    """Each sign-in by the stored password is a fault of its own, so that each raises an alarm."""
    if settings.ldap is None:
        return
    uses = entries.listed(entries.Filters(action=ldap.FALLBACK, since=clock.now() - SHOWN), MOST)
    for use in uses:
        yield Check(
            f"directory.fallback.{use.id}",
            N_("Sign-in of {login} without the directory"),
            "fail",
            N_("on {moment} by the stored password, while the directory did not answer"),
            N_(
                "Ask the person whether that was so. If not, close the account on the page People. "
                "Have the directory answer again; where the fallback is not needed, switch it off."
            ),
            {"login": use.subject, "moment": moment_text(use.at, settings)},
        )
    if not uses:
        seen = N_("nobody signed in without it in the last hour")
        yield Check("directory.fallback", N_("Directory of passwords (LDAP)"), "ok", seen)
