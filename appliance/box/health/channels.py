"""Each way to an outside party: whether it can be reached, and whether it then does its work.

Pages and checks take both from here, so that none calls well what another calls broken.
"""

import datetime as dt
from dataclasses import dataclass

from appliance.box import links
from appliance.casework.ministry import link
from appliance.core import outbox
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.messaging.sms import account_health
from appliance.models import LinkStretch, TelegramBot

BOT_TROUBLES = {
    "unreachable": (
        N_("Telegram cannot be reached"),
        N_("Look at the internet link. The duty list is still asked by SMS."),
    ),
    "log_in": (
        N_("Telegram refuses the bot's token"),
        N_("Check `telegram.token` in the settings."),
    ),
    "second_reader": (
        N_("another program reads the bot's messages"),
        N_("Stop the other program or remove its webhook: a bot has one reader."),
    ),
    "muted": (
        N_("the bot may not write in the group"),
        N_("Give the bot the right to send messages in the group, or make it an administrator."),
    ),
    "kicked": (N_("the bot is not in the group"), N_("Add the bot to the group again.")),
}
MINISTRY_TROUBLES = {
    "log_in": N_("the system refuses our account"),
    "not_there": N_("there is no such interface at its address"),
    "certificate": N_("its certificate is not taken"),
    "no_sense": N_("something other than the system answers at its address"),
}


@dataclass(frozen=True)
class Channel:
    """A link of links.watched. `state`: works | fails (reached, but its service does not do its
    work) | down | unknown. `seen` and `advice` are message ids; `seen` only of one that fails."""

    name: str
    state: str
    since: dt.datetime | None = None  # down or up again; None where it is not known
    seen: str = ""
    advice: str = ""


def channels(settings: Settings) -> dict[str, Channel]:
    """Name → every watched link, as it is now."""
    now = links.current(settings)
    return {name: _channel(settings, name, going) for name, going in now.items()}


def _channel(settings: Settings, name: str, going: LinkStretch | None) -> Channel:
    since = going.since if going else None
    if going and not going.up:
        return Channel(name, "down", since, advice=links.advice(name))
    if trouble := _trouble(settings, name):
        return Channel(name, "fails", since, *trouble)
    if not going:
        return Channel(name, "unknown", None, *links.unseen(name))
    return Channel(name, "works", since)


def _trouble(settings: Settings, name: str) -> tuple[str, str] | None:
    """What hinders the service behind a link, and what to do; None when nothing is known to."""
    kind, _, account = name.partition(".")
    if kind == "sms":
        found = next(s for s in account_health.standings(settings) if s.account.name == account)
        advice = outbox.TROUBLES.get(found.health.trouble, N_("See the page SMS accounts."))
        return (N_("takes no messages"), advice) if found.is_passed_over else None
    if kind == "telegram":
        bot = TelegramBot.get_or_none(TelegramBot.name == "bot")
        if bot and bot.trouble:
            return BOT_TROUBLES.get(bot.trouble, BOT_TROUBLES["unreachable"])
    if kind == "ministry" and (seen := MINISTRY_TROUBLES.get(link.state().trouble)):
        return seen, N_("The page Ministry's system says why and what to do.")
    return None
