"""Alerts of appeals, and of selected calls, registered out of hours: to the group, then escalated.

The alert to the ministry's Telegram group is queued in the transaction of the registration. If
nobody takes the appeal (with the alert's button), the people on the duty list are alerted one by
one, and finally all of them by SMS. Names of citizens are never sent. Of a personal appeal, only
the region and the topic are sent (law OʻRQ-445, article 19).
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Callable

from appliance.casework import catalogs
from appliance.casework.appeals import states
from appliance.casework.appeals.handling import current_state
from appliance.core import audit, clock, i18n, live, outbox, phone_numbers
from appliance.core.db import write_transaction
from appliance.core.i18n import N_, base_language
from appliance.core.settings import Settings, Telegram
from appliance.core.statements import find_row
from appliance.messaging.notices import alert_subjects, call_alerts, citizens, gist
from appliance.messaging.notices.alert_subjects import AlertSubject
from appliance.models import Appeal, CallForm, DutyAlert, Handling, Message, TelegramChat

# How much of the gist is sent in the alert of one appeal, and in a message that merges several.
_MAX_GIST_CHARS, _MAX_DIGEST_GIST_CHARS = 300, 80


def alert_appeal(settings: Settings, appeal: Appeal) -> bool:
    """Queue the alert of an appeal to the group, if it was registered out of hours.

    Must run inside the transaction of the registration. Returns True if an alert was queued; a site
    without Telegram alerts nobody.
    """
    bot = settings.telegram
    if not bot or catalogs.working_calendar(settings).is_working_time(appeal.registered_at):
        return False
    now = clock.now()
    DutyAlert.create(appeal=appeal, at=now, next_at=now + dt.timedelta(minutes=bot.minutes))
    _queue_alert(bot, alert_subjects.subject_of_appeal(appeal), current_chat_id(bot.chat), 0)
    return True


def alert_call(settings: Settings, form: CallForm) -> bool:
    """Queue the alert of a call on form №2 to the group, if it was registered out of hours.

    Must run inside the transaction of the registration. Returns True if an alert was queued: only
    for the directions that the manager selected, and only at a site with Telegram.
    """
    bot = settings.telegram
    if not bot or catalogs.working_calendar(settings).is_working_time(form.registered_at):
        return False
    if form.direction not in call_alerts.alert_directions():
        return False
    _queue_alert(bot, alert_subjects.subject_of_call(form), current_chat_id(bot.chat), 0)
    return True


def find_alert(appeal: Appeal) -> DutyAlert | None:
    """Return the alert of an appeal, if any, with the person who took it."""
    return find_row(DutyAlert, appeal=appeal.id)


def take_over_alert(
    settings: Settings, number: str, name: str, *, user: int | None = None, username: str = ""
) -> str | None:
    """Assign an appeal or call to a person, unless somebody else took it before.

    Returns the name of the one who holds it now, if there was an alert of it. The group is
    notified. As people choose their Telegram name freely, the audit also has `user` and `username`,
    Telegram's own id and name of the person.
    """
    appeal = Appeal.get_or_none(Appeal.number == number)
    with write_transaction():
        alert = find_alert(appeal) if appeal else call_alerts.find_call_alert(number)
        if not alert or alert.taken_by:
            return alert.taken_by if alert else None
        if appeal:
            DutyAlert.update(taken_by=name, taken_at=clock.now(), next_at=None).where(
                DutyAlert.appeal == appeal
            ).execute()
        action = "appeal.duty" if appeal else "call_form.duty"
        audit.record_entry(f"telegram:{name}", action, number, user=user, username=username)
        if settings.telegram:
            translate = _translator(settings)
            outbox.queue_message(
                "telegram",
                "taken",
                current_chat_id(settings.telegram.chat),
                key=f"taken:{number}",
                text=translate(N_("{number}: taken by {name}")).format(number=number, name=name),
                payload={"name": name},
                cause=number,
            )
        live.publish_topics("appeals" if appeal else "calls")
    return name


def taken_by_text(settings: Settings, holder: str | None) -> str:
    """Return the text for the person who pressed the button: who holds the appeal now."""
    translate = _translator(settings)
    return (
        translate(N_("taken by {name}")).format(name=holder)
        if holder
        else translate(N_("no such appeal"))
    )


def escalate_alerts(settings: Settings) -> int:
    """Alert the next person on the duty list of each appeal and call that nobody took in time.

    Returns how many alerts were sent. Appeals that somebody is working on, or has worked on, and
    calls that became an appeal are left out.
    """
    bot = settings.telegram
    if not bot:
        return 0
    wait, count = dt.timedelta(minutes=bot.minutes), _escalate_call_alerts(settings, bot)
    chats = [person for person in settings.duty if person.chat]
    while True:
        now = clock.now()
        with write_transaction():
            due = DutyAlert.select().where(DutyAlert.taken_by == "", DutyAlert.next_at <= now)
            oldest = due.order_by(DutyAlert.next_at).first()
            if not oldest:
                return count
            step, next_at = oldest.step, None
            if current_state(oldest.appeal) == "registered":
                if step < len(chats):
                    subject = alert_subjects.subject_of_appeal(oldest.appeal)
                    subject = alert_subjects.add_corrections(subject, oldest.appeal)
                    _queue_alert(bot, subject, current_chat_id(chats[step].chat), step + 1)
                    next_at = now + wait
                else:
                    _alert_all_by_sms(settings, oldest.appeal.number)
                step, count = step + 1, count + 1
            DutyAlert.update(step=step, next_at=next_at).where(
                DutyAlert.appeal == oldest.appeal_id
            ).execute()


def _escalate_call_alerts(settings: Settings, bot: Telegram) -> int:
    chats, count = [person for person in settings.duty if person.chat], 0
    for form, alert in call_alerts.overdue_alerts(dt.timedelta(minutes=bot.minutes)):
        with write_transaction():
            step = alert.alerts_sent - 1  # the first alert was the group's
            if step < len(chats):
                subject = alert_subjects.add_corrections(alert_subjects.subject_of_call(form), form)
                _queue_alert(bot, subject, current_chat_id(chats[step].chat), step + 1)
                count += 1
            elif not _was_sms_sent(form.number):
                _alert_all_by_sms(settings, form.number)
                count += _was_sms_sent(form.number)
    return count


def _was_sms_sent(number: str) -> bool:
    """Return True if the duty list was alerted by SMS."""
    messages = Message.select().where(Message.cause == number, Message.purpose == "duty")
    return bool(messages.exists())


def status_text(settings: Settings, requested: str) -> str:
    """Return an appeal's state for the group; `requested` is its number, in full or short."""
    translate = _translator(settings)
    year = clock.now().astimezone(settings.tz).year
    number = f"{year}-{int(requested):06d}" if re.fullmatch(r"[0-9]{1,6}", requested) else requested
    appeal = Appeal.get_or_none(Appeal.number == number)
    handling = appeal and Handling.get_or_none(Handling.appeal == appeal)
    if not handling:
        return translate(N_("{number}: no such appeal")).format(number=number[:20])
    alert = find_alert(appeal)
    lines = [
        f"{number}: {translate(states.WORKFLOW.states_by_code[handling.state].name)}",
        translate(N_("Deadline: {date}")).format(date=f"{handling.due_on:%d.%m.%Y}"),
    ]
    if alert and alert.taken_by:
        lines.append(translate(N_("On duty: {name}")).format(name=alert.taken_by))
    return "\n".join(lines)


def current_chat_id(configured: int) -> str:
    """Return the present id of a chat in the settings: a group may have got another id since."""
    chat = str(configured)
    for _ in range(5):
        move = TelegramChat.get_or_none(TelegramChat.old == chat)
        if not move:
            break
        chat = move.chat
    return chat


def maintainer_contacts(settings: Settings) -> tuple[set[int], set[str]]:
    """Return the chats and phones of the box's maintainers.

    They are those for alarms in the settings; if the settings have no such, those of the duty list.
    """
    alarms = settings.alarms
    if alarms.chat or alarms.phones:
        return {alarms.chat} - {0}, set(alarms.phones)
    return {person.chat for person in settings.duty} - {0}, {
        person.phone for person in settings.duty
    } - {""}


def record_chat_move(old_id: str, new_id: str) -> None:
    """Record that a group has a new id, and redirect its waiting messages."""
    if old_id != new_id:
        with write_transaction():
            TelegramChat.replace(old=old_id, chat=new_id).execute()
            outbox.redirect_messages("telegram", old_id, new_id)


def alert_text(bot: Telegram, subject: AlertSubject) -> str:
    """Return the text of the alert of one appeal or call."""
    translate = i18n.locale_translations(bot.language).gettext
    topic, region = _topic_label(subject, bot.language), _region_name(subject, bot.language)
    parts = [
        (N_("Topic: {text}"), topic),
        (N_("Region: {text}"), region),
        (N_("Summary: {text}"), _shortened_gist(bot, subject, _MAX_GIST_CHARS)),
        (N_("Phone: {text}"), _displayed_phone(bot, subject)),
    ]
    lines = [translate(subject.head).format(number=subject.number)]
    return "\n".join(
        lines + [translate(message_id).format(text=text) for message_id, text in parts if text]
    )


def _translator(settings: Settings) -> Callable[[str], str]:
    """Return the translation function for the language of the alerts."""
    bot = settings.telegram
    return i18n.locale_translations(bot.language if bot else i18n.DEFAULT_LOCALE).gettext


def _digest_line(bot: Telegram, subject: AlertSubject) -> str:
    parts = (_topic_label(subject, bot.language), _region_name(subject, bot.language))
    line = ", ".join(filter(None, (*parts, _shortened_gist(bot, subject, _MAX_DIGEST_GIST_CHARS))))
    return f"{subject.number}: {line}" if line else subject.number


def _queue_alert(bot: Telegram, subject: AlertSubject, chat: str, step: int) -> None:
    outbox.queue_message(
        "telegram",
        "alert",
        chat,
        key=f"alert:{subject.number}:{step}",
        text=alert_text(bot, subject),
        payload={
            "appeal": subject.number,
            "line": _digest_line(bot, subject),
            "button": i18n.locale_translations(bot.language).gettext(N_("I will take it")),
        },
        cause=subject.number,
    )


def _alert_all_by_sms(settings: Settings, number: str) -> None:
    if not settings.telegram or not settings.sms:
        return
    language = base_language(settings.telegram.language)
    for position, person in enumerate(settings.duty):
        if person.phone:
            key = f"duty:{number}:{position}"
            citizens.queue_notice(
                settings,
                "duty",
                person.phone,
                language,
                {"number": number},
                key=key,
                cause=number,
            )


def _topic_label(subject: AlertSubject, locale: str) -> str:
    """Return the label of the topic; names of people are removed from one that was typed."""
    if not subject.direction or catalogs.is_code("direction", subject.direction):
        return catalogs.value_label("direction", subject.direction, locale)
    typed_topic = dataclasses.replace(subject, gist=subject.direction)
    return gist.redact_person(typed_topic, phones=False) if subject.is_open else ""


def _region_name(subject: AlertSubject, locale: str) -> str:
    """Return the name of the region; "" if it is not from the list: it may be an address."""
    return i18n.localized_name(subject.region, locale) if subject.region else ""


def _shortened_gist(bot: Telegram, subject: AlertSubject, max_chars: int) -> str:
    if not subject.is_open:
        return ""
    text = gist.redact_person(subject, phones=bot.phone == "full")
    return text if len(text) <= max_chars else f"{text[:max_chars].rstrip()}…"


def _displayed_phone(bot: Telegram, subject: AlertSubject) -> str:
    number = phone_numbers.canonical_number(subject.phone) or ""
    if bot.phone == "none" or not number:
        return ""
    if bot.phone == "full" and subject.is_open:
        return phone_numbers.grouped_number(number)
    return phone_numbers.masked_number(number)
