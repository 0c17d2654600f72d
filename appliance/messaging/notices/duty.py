"""Alerts of appeals, and of chosen calls, registered out of hours: to the ministry's group, then
on and on.

The group is told in the transaction of the registering. When nobody takes the appeal, the duty
list is asked one by one, and in the end all of it by SMS. Names of citizens are never sent, and of
a personal appeal only where it comes from and what it is about (law OʻRQ-445, article 19).
"""

import datetime as dt
import re
from collections.abc import Callable

from appliance.casework import catalogs
from appliance.casework.appeals import states
from appliance.casework.appeals.handling import state_of
from appliance.core import audit, clock, i18n, live, outbox, phone_numbers
from appliance.core.clock import WorkingCalendar
from appliance.core.db import writing
from appliance.core.i18n import N_
from appliance.core.settings import Settings, Telegram
from appliance.messaging.notices import alerted, call_alerts, citizens, gist
from appliance.messaging.notices.alerted import Alerted
from appliance.models import Appeal, CallForm, DutyAlert, Handling, Message, TelegramChat

_GIST, _LINE = 300, 80  # characters of the gist, alone and in a digest


def alert(settings: Settings, calendar: WorkingCalendar, appeal: Appeal) -> bool:
    """Tell the group of an appeal registered out of hours; inside its transaction.

    Whether it is: a site without Telegram tells nobody.
    """
    bot = settings.telegram
    if not bot or calendar.inside(appeal.registered_at):
        return False
    now = clock.now()
    DutyAlert.create(appeal=appeal, at=now, next_at=now + dt.timedelta(minutes=bot.minutes))
    _put(bot, alerted.of_appeal(appeal), chat_of(bot.chat), 0)
    return True


def alert_call(settings: Settings, calendar: WorkingCalendar, form: CallForm) -> bool:
    """Tell the group of a call registered on form №2 out of hours; inside its transaction.

    Whether it is: only of the directions that the manager chose, and a site without Telegram
    tells nobody.
    """
    bot = settings.telegram
    if not bot or calendar.inside(form.registered_at):
        return False
    if form.direction not in call_alerts.directions():
        return False
    _put(bot, alerted.of_call(form), chat_of(bot.chat), 0)
    return True


def alert_of(appeal: Appeal) -> DutyAlert | None:
    """The alert that went out for an appeal, and who took it; None when none went out."""
    return DutyAlert.get_or_none(DutyAlert.appeal == appeal)


def take(
    settings: Settings, number: str, name: str, *, user: int | None = None, username: str = ""
) -> str | None:
    """Somebody takes an appeal or a call; who has it then, None when there was no alert.

    The first one has it, and the group is told. A name is whatever he calls himself: `user` and
    `username`, as Telegram knows him, are kept in the audit trail.
    """
    appeal = Appeal.get_or_none(Appeal.number == number)
    with writing():
        known = alert_of(appeal) if appeal else call_alerts.alert_of(number)
        if not known or known.taken_by:
            return known.taken_by if known else None
        if appeal:
            DutyAlert.update(taken_by=name, taken_at=clock.now(), next_at=None).where(
                DutyAlert.appeal == appeal
            ).execute()
        action = "appeal.duty" if appeal else "call_form.duty"
        audit.record(f"telegram:{name}", action, number, user=user, username=username)
        if settings.telegram:
            say = _gettext(settings)
            outbox.put(
                "telegram",
                "taken",
                chat_of(settings.telegram.chat),
                key=f"taken:{number}",
                text=say(N_("{number}: taken by {name}")).format(number=number, name=name),
                payload={"name": name},
                cause=number,
            )
        live.publish("appeals" if appeal else "calls")
    return name


def taken_by(settings: Settings, who: str | None) -> str:
    """What somebody is told who pressed the button: who has the appeal now."""
    say = _gettext(settings)
    return say(N_("taken by {name}")).format(name=who) if who else say(N_("no such appeal"))


def escalate(settings: Settings) -> int:
    """Ask the next on the duty list about what nobody took in time; returns how many.

    Nobody is asked about an appeal that is worked on already, or was, nor about a call that became
    one.
    """
    bot = settings.telegram
    if not bot:
        return 0
    wait, count = dt.timedelta(minutes=bot.minutes), _escalate_calls(settings, bot)
    chats = [person for person in settings.duty if person.chat]
    while True:
        now = clock.now()
        with writing():
            due = DutyAlert.select().where(DutyAlert.taken_by == "", DutyAlert.next_at <= now)
            waiting = due.order_by(DutyAlert.next_at).first()
            if not waiting:
                return count
            step, next_at = waiting.step, None
            if state_of(waiting.appeal) == "registered":
                if step < len(chats):
                    alert = alerted.of_corrected(waiting.appeal)
                    _put(bot, alert, chat_of(chats[step].chat), step + 1)
                    next_at = now + wait
                else:
                    _call_all(settings, waiting.appeal.number)
                step, count = step + 1, count + 1
            DutyAlert.update(step=step, next_at=next_at).where(
                DutyAlert.appeal == waiting.appeal_id
            ).execute()


def _escalate_calls(settings: Settings, bot: Telegram) -> int:
    chats, count = [person for person in settings.duty if person.chat], 0
    for form, before in call_alerts.waiting(dt.timedelta(minutes=bot.minutes)):
        with writing():
            step = before.asked - 1  # the first asking was the group's
            if step < len(chats):
                _put(bot, alerted.of_call(form), chat_of(chats[step].chat), step + 1)
                count += 1
            elif not _were_called(form.number):
                _call_all(settings, form.number)
                count += _were_called(form.number)
    return count


def _were_called(number: str) -> bool:
    """Whether all of the duty list were told of it by SMS."""
    called = Message.select().where(Message.cause == number, Message.purpose == "duty")
    return bool(called.exists())


def status(settings: Settings, asked: str) -> str:
    """How an appeal stands, for a member of the group; `asked` is its number, or the year's."""
    say = _gettext(settings)
    year = clock.now().astimezone(settings.tz).year
    number = f"{year}-{int(asked):06d}" if re.fullmatch(r"[0-9]{1,6}", asked) else asked
    appeal = Appeal.get_or_none(Appeal.number == number)
    now = appeal and Handling.get_or_none(Handling.appeal == appeal)
    if not now:
        return say(N_("{number}: no such appeal")).format(number=number[:20])
    taken = alert_of(appeal)
    lines = [
        f"{number}: {say(states.NAMES[now.state])}",
        say(N_("Deadline: {date}")).format(date=f"{now.due_on:%d.%m.%Y}"),
    ]
    if taken and taken.taken_by:
        lines.append(say(N_("On duty: {name}")).format(name=taken.taken_by))
    return "\n".join(lines)


def chat_of(configured: int) -> str:
    """The id under which a chat of the settings is reached now."""
    chat = str(configured)
    for _ in range(5):
        moved = TelegramChat.get_or_none(TelegramChat.old == chat)
        if not moved:
            break
        chat = moved.chat
    return chat


def keepers(settings: Settings) -> tuple[set[int], set[str]]:
    """Chats and phones of who looks after the box: those of the alarms, or the duty list's."""
    named = settings.alarms
    if named.chat or named.phones:
        return {named.chat} - {0}, set(named.phones)
    return {d.chat for d in settings.duty} - {0}, {d.phone for d in settings.duty} - {""}


def moved(before: str, after: str) -> None:
    """A group has another id since; what waits for it goes there."""
    if before != after:
        with writing():
            TelegramChat.replace(old=before, chat=after).execute()
            outbox.redirect("telegram", before, after)


def wording(bot: Telegram, told: Alerted) -> str:
    """The alert of one appeal or call."""
    say = i18n.translations(bot.language).gettext
    topic, region = _topic(told, bot.language), _region(told, bot.language)
    parts = [
        (N_("Topic: {text}"), topic),
        (N_("Region: {text}"), region),
        (N_("Gist: {text}"), _gist(bot, told, _GIST)),
        (N_("Phone: {text}"), _phone(bot, told)),
    ]
    lines = [say(told.head).format(number=told.number)]
    return "\n".join(lines + [say(id).format(text=text) for id, text in parts if text])


def _gettext(settings: Settings) -> Callable[[str], str]:
    """The texts in the language of the alerts."""
    bot = settings.telegram
    return i18n.translations(bot.language if bot else i18n.DEFAULT).gettext


def _line(bot: Telegram, alert: Alerted) -> str:
    parts = (_topic(alert, bot.language), _region(alert, bot.language))
    line = ", ".join(filter(None, (*parts, _gist(bot, alert, _LINE))))
    return f"{alert.number}: {line}" if line else alert.number


def _put(bot: Telegram, alert: Alerted, chat: str, step: int) -> None:
    outbox.put(
        "telegram",
        "alert",
        chat,
        key=f"alert:{alert.number}:{step}",
        text=wording(bot, alert),
        payload={
            "appeal": alert.number,
            "line": _line(bot, alert),
            "button": i18n.translations(bot.language).gettext(N_("I take it")),
        },
        cause=alert.number,
    )


def _call_all(settings: Settings, number: str) -> None:
    if not settings.telegram or not settings.sms:
        return
    language = "ru" if settings.telegram.language == "ru" else "uz"
    for place, person in enumerate(settings.duty):
        if person.phone:
            key = f"duty:{number}:{place}"
            citizens.notify(
                settings,
                "duty",
                person.phone,
                language,
                {"number": number},
                key=key,
                cause=number,
            )


def _topic(alert: Alerted, locale: str) -> str:
    return catalogs.label("direction", alert.direction, locale) if alert.direction else ""


def _region(alert: Alerted, locale: str) -> str:
    return i18n.named(alert.region, locale) if alert.region else alert.region_text


def _gist(bot: Telegram, alert: Alerted, longest: int) -> str:
    if not alert.is_open:
        return ""
    text = gist.without_person(alert, phones=bot.phone == "full")
    return text if len(text) <= longest else f"{text[:longest].rstrip()}…"


def _phone(bot: Telegram, alert: Alerted) -> str:
    number = phone_numbers.canonical(alert.phone) or ""
    if bot.phone == "none" or not number:
        return ""
    if bot.phone == "full" and alert.is_open:
        return phone_numbers.grouped(number)
    return phone_numbers.masked(number)
