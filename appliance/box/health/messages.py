"""Outgoing messages: the outbox, the SMS accounts and the Telegram bot."""

import datetime as dt
from collections.abc import Iterator, Sequence

from peewee import fn

from appliance.box.health.channels import BOT_TROUBLES, channel_states
from appliance.box.health.check import Check, local_time_text
from appliance.core import clock
from appliance.core import outbox as messages
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.messaging.sms import account_health, accounts, rules
from appliance.models import Message, TelegramBot

WAIT_WARNING, WAIT_FAILURE = dt.timedelta(minutes=15), dt.timedelta(hours=1)  # of the oldest one
MIN_UNREPORTED_MESSAGES = 10  # messages accepted by a service, without any delivery report
REPORT_HOURS = 1  # within which a phone usually receives a message
DECLINED_MESSAGES_LIMIT = 5  # consecutive refusals not caused by a message
_MAX_NEWEST_MESSAGES = 500  # of the last day
MAX_BOT_SILENCE = dt.timedelta(minutes=5)  # after which the bot's reader counts as dead
_ACCOUNTS_NAME = N_("SMS accounts")
_ACCOUNTS_ADVICE = N_("See the page SMS accounts for what to do.")


def check_outbox(settings: Settings) -> Iterator[Check]:
    """Check that no message waits for long, and no message expired in the last day."""
    code, name = "outbox", N_("Outgoing messages")
    # appeals for the ministry's system have their own check
    ages = [age for age in messages.queue_ages() if age.channel != "ministry"]
    oldest = max((age.oldest for age in ages), default=dt.timedelta())
    expired_count = messages.expired_count(clock.now() - dt.timedelta(days=1))
    if oldest < WAIT_WARNING and expired_count:
        yield Check(
            code,
            name,
            "warn",
            N_("{count} came too late in the last day"),
            N_(
                "See the section Too late on the page Messages: some people may have to be "
                "informed by phone."
            ),
            {"count": str(expired_count)},
        )
        return
    if oldest < WAIT_WARNING:
        yield Check(code, name, "ok", N_("no message has been waiting for long"))
        return
    yield Check(
        code,
        name,
        "fail" if oldest >= WAIT_FAILURE else "warn",
        N_("{waiting} waiting, the oldest for {minutes} min"),
        N_(
            "See the page Messages for what went wrong, and check that `appliance jobs` is running."
        ),
        {
            "waiting": str(sum(age.waiting for age in ages)),
            "minutes": str(int(oldest.total_seconds() // 60)),
        },
    )


def check_message_review(settings: Settings) -> Iterator[Check]:
    """Check that no message has been on hold for review since a restore."""
    code, name, count = "outbox.held", N_("Messages to review"), messages.held_message_count()
    if not count:
        yield Check(code, name, "ok", N_("none"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("{count} have been waiting for review since a restore"),
        N_("Open the page Messages: send those that have not gone out, and discard the rest."),
        {"count": str(count)},
    )


def check_sms_accounts(settings: Settings) -> Iterator[Check]:
    """Check that the SMS accounts accept messages, have money, and their texts are approved."""
    code, name, advice = "sms", _ACCOUNTS_NAME, _ACCOUNTS_ADVICE
    standings = account_health.account_statuses(settings)
    failing = [standing for standing in standings if standing.is_skipped]
    low_on_money = [standing for standing in standings if standing.state == "low"]
    unapproved_count = sum(a.state != "approved" for a in rules.list_approvals(settings))
    if failing:
        yield _failing_accounts_check(failing, len(standings), settings)
    elif refusal_text := _common_refusal_text():
        yield Check(
            code,
            name,
            "fail",
            N_("all of the last {count} messages were refused: {said}"),
            N_("Call the service: is the account paid, and are its texts approved?"),
            {"count": str(DECLINED_MESSAGES_LIMIT), "said": refusal_text},
        )
    elif low_on_money:
        yield Check(
            code,
            name,
            "warn",
            N_("{account}: {balance} left"),
            N_("Top up the account, otherwise the next one is used."),
            {
                "account": low_on_money[0].account.name,
                "balance": str(low_on_money[0].health.balance),
            },
        )
    elif unapproved_count:
        yield Check(
            code,
            name,
            "warn",
            N_("{count} texts are not approved"),
            advice,
            {"count": str(unapproved_count)},
        )
    elif not standings:
        return
    elif reachable_names := _reachable_account_names(settings, standings):
        values = {"accounts": ", ".join(reachable_names)}
        yield Check(code, name, "ok", N_("{accounts}: accept messages"), values=values)
    else:
        yield Check(code, name, "fail", N_("no account can be reached"), advice)


def check_sms_delivery(settings: Settings) -> Iterator[Check]:
    """Check that SMS arrive: of many accepted messages, some are reported as delivered."""
    if not settings.sms:
        return
    code, name = "sms.delivery", N_("SMS delivery")
    now = clock.now()
    until, since = now - dt.timedelta(hours=REPORT_HOURS), now - dt.timedelta(days=1)
    sent_messages = Message.select(Message.gateway, Message.state).where(
        Message.channel == "sms",
        Message.state.in_(["sent", "delivered"]),
        Message.sent_at.between(since, until),
    )
    states: dict[str, list[str]] = {}
    for message in sent_messages.order_by(Message.sent_at.desc()).limit(_MAX_NEWEST_MESSAGES):
        states.setdefault(message.gateway, []).append(message.state)
    accounts_by_name = {account.name: account for account in settings.sms}
    silent_gateways = [
        gateway
        for gateway, message_states in states.items()
        if len(message_states) >= MIN_UNREPORTED_MESSAGES
        and "delivered" not in message_states
        and gateway in accounts_by_name  # an account that was removed from the settings is ignored
        and accounts.reports_delivery(accounts_by_name[gateway])
    ]
    if silent_gateways:
        count = sum(len(states[gateway]) for gateway in silent_gateways)
        advice = N_(
            "Call the service: it accepts the messages but does not report a single one as "
            "delivered. Send one to your own phone."
        )
        values = {"accounts": ", ".join(silent_gateways), "count": str(count)}
        finding = N_("{accounts}: {count} messages accepted, not one is known to be delivered")
        yield Check(code, name, "fail", finding, advice, values)
    else:
        yield Check(code, name, "ok", N_("delivery is reported"))


def _failing_accounts_check(
    failing: Sequence[account_health.AccountStatus], account_count: int, settings: Settings
) -> Check:
    """Return the check about accounts that are not used because sending failed."""
    first = min(failing, key=lambda standing: standing.health.failing_since)
    troubles = {standing.health.trouble for standing in failing}
    advice = messages.TROUBLES.get(first.health.trouble, _ACCOUNTS_ADVICE)
    return Check(
        "sms",
        _ACCOUNTS_NAME,
        "fail" if len(failing) == account_count else "warn",
        N_("{accounts}: no message has been sent this way since {moment}"),
        _ACCOUNTS_ADVICE if len(troubles) > 1 else advice,
        {
            "accounts": ", ".join(standing.account.name for standing in failing),
            "moment": local_time_text(first.health.failing_since, settings),
        },
    )


def _reachable_account_names(
    settings: Settings, standings: Sequence[account_health.AccountStatus]
) -> list[str]:
    """Return the names of the SMS accounts whose links are not down."""
    channels_by_name = channel_states(settings)
    names = [standing.account.name for standing in standings]
    return [
        name
        for name in names
        if not (channel := channels_by_name.get(f"sms.{name}")) or channel.state != "down"
    ]


def _common_refusal_text() -> str:
    """Return the service's text if the newest messages of the day were all refused, else ""."""
    day_ago = clock.now() - dt.timedelta(days=1)
    attempted = Message.select().where(
        Message.channel == "sms",
        Message.state.in_(["sent", "delivered", "refused"]),
        Message.trouble != "unwanted",
        Message.tried_at > day_ago,
    )
    latest = list(attempted.order_by(Message.tried_at.desc()).limit(DECLINED_MESSAGES_LIMIT))
    all_refused = all(
        message.state == "refused" and message.trouble == "declined" for message in latest
    )
    return (
        latest[0].trouble_text or "–"
        if all_refused and len(latest) == DECLINED_MESSAGES_LIMIT
        else ""
    )


def check_telegram_bot(settings: Settings) -> Iterator[Check]:
    """Check that the bot works and polls for messages."""
    if not settings.telegram:
        return
    code, name = "telegram", N_("Telegram bot")
    bot = TelegramBot.get_or_none(TelegramBot.name == "bot")
    if bot and bot.trouble:
        finding, advice = BOT_TROUBLES.get(bot.trouble, BOT_TROUBLES["unreachable"])
        yield Check(code, name, "fail", finding, advice)
    elif not bot or not bot.seen_at or clock.now() - bot.seen_at > MAX_BOT_SILENCE:
        yield Check(
            code, name, "warn", N_("does not poll"), N_("Check that `appliance jobs` is running.")
        )
    else:
        yield Check(code, name, "ok", N_("is connected"))


def check_telegram_chats(settings: Settings) -> Iterator[Check]:
    """Check that each chat accepts the bot's messages."""
    if not settings.telegram:
        return
    code, name = "telegram.chats", N_("Chats of the Telegram bot")
    since = clock.now() - dt.timedelta(days=1)
    # A message that the service accepted stays "sent": Telegram reports no delivery.
    handled_messages = Message.select().where(
        Message.channel == "telegram",
        Message.state.in_(["sent", "delivered", "refused"]),
        (Message.ended_at > since) | (Message.sent_at > since),
    )
    handled_at = fn.COALESCE(Message.ended_at, Message.sent_at)
    newest: dict[str, Message] = {}
    for message in handled_messages.order_by(handled_at.desc()).limit(_MAX_NEWEST_MESSAGES):
        newest.setdefault(message.recipient, message)
    refused_messages = [message for message in newest.values() if message.state == "refused"]
    if refused_messages:
        advice = N_("Add the bot to the chat again, or correct its number in the settings.")
        values = {
            "chats": ", ".join(sorted(message.recipient for message in refused_messages)),
            "said": refused_messages[0].trouble_text or "–",
        }
        finding = N_("{chats}: the last message was refused ({said})")
        yield Check(code, name, "fail", finding, advice, values)
    else:
        yield Check(code, name, "ok", N_("accept messages"))
