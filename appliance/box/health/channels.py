"""The state of each channel to an outside party: whether its link is up and its service works.

Pages and checks both use this module, so that they cannot contradict each other.
"""

import datetime as dt
from dataclasses import dataclass

from appliance.box.links import intervals, wording
from appliance.casework.ministry import link
from appliance.core import outbox
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.messaging.sms import account_health
from appliance.models import LinkStretch, TelegramBot

BOT_TROUBLES = {
    "unreachable": (
        N_("Telegram cannot be reached"),
        N_("Check the internet connection. The people on duty are still notified by SMS."),
    ),
    "log_in": (
        N_("Telegram refuses the bot's token"),
        N_("Check `telegram.token` in the settings."),
    ),
    "second_reader": (
        N_("another program reads the bot's messages"),
        N_("Stop the other program or remove its webhook: a bot can have only one reader."),
    ),
    "muted": (
        N_("the bot may not write in the group"),
        N_(
            "Give the bot the permission to send messages in the group, or make it an "
            "administrator."
        ),
    ),
    "kicked": (N_("the bot is not in the group"), N_("Add the bot to the group again.")),
}
MINISTRY_TROUBLES = {
    "log_in": N_("the system refuses our account"),
    "not_there": N_("there is no such interface at its address"),
    "certificate": N_("its certificate is not accepted"),
    "no_sense": N_("something other than the system answers at its address"),
}


@dataclass(frozen=True)
class Channel:
    """The state of a watched link and its service: works | fails | down | unknown.

    `fails`: the party can be reached, but its service does not work. `seen` and `advice` are
    message ids; `seen` is only set for a failing or unknown channel.
    """

    name: str
    state: str
    since: dt.datetime | None = None  # start of the current outage or uptime, if known
    seen: str = ""
    advice: str = ""


def channel_states(settings: Settings) -> dict[str, Channel]:
    """Map the name of every watched link to its current state."""
    stretches = intervals.current_stretches(settings)
    return {name: _channel_state(settings, name, stretch) for name, stretch in stretches.items()}


def _channel_state(settings: Settings, name: str, stretch: LinkStretch | None) -> Channel:
    since = stretch.since if stretch else None
    if stretch and not stretch.up:
        return Channel(name, "down", since, advice=wording.outage_advice(name))
    if trouble := _service_trouble(settings, name):
        return Channel(name, "fails", since, *trouble)
    if not stretch:
        return Channel(name, "unknown", None, *wording.unknown_link_texts(name))
    return Channel(name, "works", since)


def _service_trouble(settings: Settings, name: str) -> tuple[str, str] | None:
    """Return the known fault of the service behind a link and the advice, if there is one."""
    kind, _, account = name.partition(".")
    if kind == "sms":
        standing = next(
            s for s in account_health.account_statuses(settings) if s.account.name == account
        )
        advice = outbox.TROUBLES.get(standing.health.trouble, N_("See the page SMS accounts."))
        return (N_("accepts no messages"), advice) if standing.is_skipped else None
    if kind == "telegram":
        bot = TelegramBot.get_or_none(TelegramBot.name == "bot")
        if bot and bot.trouble:
            return BOT_TROUBLES.get(bot.trouble, BOT_TROUBLES["unreachable"])
    if kind == "ministry" and (finding := MINISTRY_TROUBLES.get(link.link_state().trouble)):
        return finding, N_("The page Ministry's system shows the reason and what to do.")
    return None
