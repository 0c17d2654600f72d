"""What leaves the box: the outbox, the SMS accounts and the bot."""

import datetime as dt
from collections.abc import Iterator

from appliance import clock
from appliance import outbox as messages
from appliance.health.looking import N_, Check, told
from appliance.models import Message, TelegramBot
from appliance.notices import accounts, rules
from appliance.settings import Settings

WAITED, WAITED_LONG = dt.timedelta(minutes=15), dt.timedelta(hours=1)  # of the oldest message
DECLINED = 5  # messages in a row after which it is no longer their fault
SILENT = dt.timedelta(minutes=5)  # after which the bot's reader counts as dead


def outbox(settings: Settings) -> Iterator[Check]:
    """No message waits for long, and none came too late."""
    code, name = "outbox", N_("Messages that leave the box")
    # the appeals for the ministry's system are looked at by themselves
    ages = [age for age in messages.ages() if age.channel != "ministry"]
    oldest = max((age.oldest for age in ages), default=dt.timedelta())
    too_late = messages.expired(clock.now() - dt.timedelta(days=1))
    if oldest < WAITED and too_late:
        yield Check(
            code,
            name,
            "warn",
            N_("{count} came too late in the last day"),
            N_("See the page Messages, Too late: some may have to be told by phone."),
            {"count": str(too_late)},
        )
        return
    if oldest < WAITED:
        yield Check(code, name, "ok", N_("none waits for long"))
        return
    yield Check(
        code,
        name,
        "fail" if oldest >= WAITED_LONG else "warn",
        N_("{waiting} wait, the oldest for {minutes} min"),
        N_("See the page Messages for what went wrong, and whether `appliance jobs` runs."),
        {
            "waiting": str(sum(age.waiting for age in ages)),
            "minutes": str(int(oldest.total_seconds() // 60)),
        },
    )


def sms(settings: Settings) -> Iterator[Check]:
    """The accounts take messages, have money and approved texts."""
    code, name = "sms", N_("SMS accounts")
    found = accounts.standings(settings)
    bad = [s for s in found if s.is_passed_over]
    low = [s for s in found if s.state == "low"]
    unapproved = sum(a.state != "approved" for a in rules.approvals(settings))
    advice = N_("See the page SMS accounts for what to do.")
    if bad:
        first = min(bad, key=lambda one: one.health.failing_since)
        troubles = {one.health.trouble for one in bad}
        yield Check(
            code,
            name,
            "fail" if len(bad) == len(found) else "warn",
            N_("{accounts}: no message goes that way since {moment}"),
            advice if len(troubles) > 1 else messages.TROUBLES.get(first.health.trouble, advice),
            {
                "accounts": ", ".join(one.account.name for one in bad),
                "moment": told(first.health.failing_since, settings),
            },
        )
    elif said := _all_declined():
        yield Check(
            code,
            name,
            "fail",
            N_("the last {count} messages were all refused: {said}"),
            N_("Call the service: is the account paid and are its texts approved?"),
            {"count": str(DECLINED), "said": said},
        )
    elif low:
        yield Check(
            code,
            name,
            "warn",
            N_("{account}: {balance} left"),
            N_("Pay in, or the next account is used."),
            {"account": low[0].account.name, "balance": str(low[0].health.balance)},
        )
    elif unapproved:
        yield Check(
            code,
            name,
            "warn",
            N_("{count} texts are not approved"),
            advice,
            {"count": str(unapproved)},
        )
    elif found:
        yield Check(code, name, "ok", N_("take messages"))


def _all_declined() -> str:
    """What was said to the last messages of a day when none of them was taken; "" when one was."""
    day = clock.now() - dt.timedelta(days=1)
    tried = Message.select().where(
        Message.channel == "sms",
        Message.state.in_(["sent", "delivered", "refused"]),
        Message.trouble != "unwanted",
        Message.tried_at > day,
    )
    latest = list(tried.order_by(Message.tried_at.desc()).limit(DECLINED))
    declined = all(one.state == "refused" and one.trouble == "declined" for one in latest)
    return latest[0].trouble_text or "–" if declined and len(latest) == DECLINED else ""


def telegram(settings: Settings) -> Iterator[Check]:
    """The bot is heard."""
    if not settings.telegram:
        return
    code, name = "telegram", N_("Telegram bot")
    bot = TelegramBot.get_or_none(TelegramBot.name == "bot")
    if bot and bot.trouble:
        seen, advice = _BOT_TROUBLES.get(bot.trouble, _BOT_TROUBLES["unreachable"])
        yield Check(code, name, "fail", seen, advice)
    elif not bot or not bot.seen_at or clock.now() - bot.seen_at > SILENT:
        yield Check(
            code, name, "warn", N_("does not ask"), N_("Look whether `appliance jobs` runs.")
        )
    else:
        yield Check(code, name, "ok", N_("is heard"))


_BOT_TROUBLES = {
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
