"""What leaves the box: the outbox, the SMS accounts and the bot."""

import datetime as dt
from collections.abc import Iterator, Mapping

from peewee import fn

from appliance.box.health.channels import BOT_TROUBLES, Channel, channels
from appliance.box.health.check import Check, moment_text
from appliance.core import clock
from appliance.core import outbox as messages
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.messaging.sms import account_health, accounts, rules
from appliance.models import Message, TelegramBot

WAITED, WAITED_LONG = dt.timedelta(minutes=15), dt.timedelta(hours=1)  # of the oldest message
UNREPORTED = 10  # messages taken by services, of which none is known to have arrived
REPORT_HOURS = 1  # within which a telephone usually receives a message
DECLINED = 5  # messages in a row after which it is no longer their fault
_LOOKED_AT = 500  # of the newest messages of a day
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


def review(settings: Settings) -> Iterator[Check]:
    """No message is on hold since a restore."""
    code, name, count = "outbox.held", N_("Messages to review"), messages.review_count()
    if not count:
        yield Check(code, name, "ok", N_("none"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("{count} wait for review since a restore"),
        N_("Open Messages on the page Status: send those that have not gone out, drop the rest."),
        {"count": str(count)},
    )


def sms(settings: Settings) -> Iterator[Check]:
    """The accounts take messages, have money and approved texts."""
    code, name = "sms", N_("SMS accounts")
    found = account_health.standings(settings)
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
                "moment": moment_text(first.health.failing_since, settings),
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
        ways = channels(settings)
        reached = [s.account.name for s in found if not _is_cut_off(ways, s)]
        values = {"accounts": ", ".join(reached)}
        if reached:
            yield Check(code, name, "ok", N_("{accounts}: take messages"), values=values)
        else:
            yield Check(code, name, "fail", N_("none can be reached"), advice)


def undelivered(settings: Settings) -> Iterator[Check]:
    """What the services took arrives: of many messages some are reported as delivered."""
    if not settings.sms:
        return
    code, name = "sms.delivery", N_("Delivery of short messages")
    now = clock.now()
    until, since = now - dt.timedelta(hours=REPORT_HOURS), now - dt.timedelta(days=1)
    sent = Message.select(Message.gateway, Message.state).where(
        Message.channel == "sms",
        Message.state.in_(["sent", "delivered"]),
        Message.sent_at.between(since, until),
    )
    states: dict[str, list[str]] = {}
    for message in sent.order_by(Message.sent_at.desc()).limit(_LOOKED_AT):
        states.setdefault(message.gateway, []).append(message.state)
    account_of = {account.name: account for account in settings.sms}
    bad = [
        gateway
        for gateway, found in states.items()
        if len(found) >= UNREPORTED
        and "delivered" not in found
        and gateway in account_of  # one that was taken out of the settings is asked no more
        and accounts.is_reported(account_of[gateway])
    ]
    if bad:
        count = sum(len(states[gateway]) for gateway in bad)
        advice = N_(
            "Call the service: it says that it took them, and reports none as arrived. Send one to "
            "your own telephone."
        )
        values = {"accounts": ", ".join(bad), "count": str(count)}
        seen = N_("{accounts}: {count} messages taken, none known to have arrived")
        yield Check(code, name, "fail", seen, advice, values)
    else:
        yield Check(code, name, "ok", N_("reported"))


def _is_cut_off(ways: Mapping[str, Channel], standing: account_health.Standing) -> bool:
    way = ways.get(f"sms.{standing.account.name}")
    return way is not None and way.state == "down"


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
        seen, advice = BOT_TROUBLES.get(bot.trouble, BOT_TROUBLES["unreachable"])
        yield Check(code, name, "fail", seen, advice)
    elif not bot or not bot.seen_at or clock.now() - bot.seen_at > SILENT:
        yield Check(
            code, name, "warn", N_("does not ask"), N_("Look whether `appliance jobs` runs.")
        )
    else:
        yield Check(code, name, "ok", N_("is heard"))


def telegram_chats(settings: Settings) -> Iterator[Check]:
    """Each chat that was written to takes messages."""
    if not settings.telegram:
        return
    code, name = "telegram.chats", N_("Chats of the Telegram bot")
    since = clock.now() - dt.timedelta(days=1)
    # What the bot's service took stays "sent": it reports no more.
    answered = Message.select().where(
        Message.channel == "telegram",
        Message.state.in_(["sent", "delivered", "refused"]),
        (Message.ended_at > since) | (Message.sent_at > since),
    )
    answered_at = fn.COALESCE(Message.ended_at, Message.sent_at)
    newest: dict[str, Message] = {}
    for message in answered.order_by(answered_at.desc()).limit(_LOOKED_AT):
        newest.setdefault(message.recipient, message)
    bad = [message for message in newest.values() if message.state == "refused"]
    if bad:
        advice = N_("Add the bot to the chat again, or correct its number in the settings.")
        values = {
            "chats": ", ".join(sorted(message.recipient for message in bad)),
            "said": bad[0].trouble_text or "–",
        }
        seen = N_("{chats}: the last message was refused ({said})")
        yield Check(code, name, "fail", seen, advice, values)
    else:
        yield Check(code, name, "ok", N_("take messages"))
