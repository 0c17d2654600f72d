"""The daily summary for the ministry's group: figures and numbers of appeals, no personal data."""

import datetime as dt

from appliance.core import audit, i18n, outbox
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.messaging.notices import duty
from appliance.models import Appeal, AppealStep, DutyAlert, Handling, Message
from appliance.telephony import calls

_LIFETIME = dt.timedelta(days=1)  # later it is not sent: the next summary replaces it
_MAX_LISTED_APPEALS = 10  # of those that nobody took


def queue_summary(settings: Settings, until: dt.datetime) -> Message | None:
    """Queue the summary of the 24 hours before `until`, if Telegram is set up; once a day."""
    bot = settings.telegram
    if not bot:
        return None
    day = until.astimezone(settings.tz).date()
    return outbox.queue_message(
        "telegram",
        "summary",
        duty.current_chat_id(bot.chat),
        key=f"summary:{day}",
        text=summary_text(settings, until),
        lifetime=_LIFETIME,
    )


def summary_text(settings: Settings, until: dt.datetime) -> str:
    """Return the text of the summary."""
    since = until - dt.timedelta(days=1)
    day = until.astimezone(settings.tz).date()
    translations = i18n.locale_translations(
        settings.telegram.language if settings.telegram else i18n.DEFAULT_LOCALE
    )
    balance = calls.ledger_balance(since, until)
    registered = Appeal.registered_at.between(since, until - dt.timedelta(microseconds=1))
    alerts = DutyAlert.select().where(DutyAlert.at >= since, DutyAlert.at < until)
    waiting = [
        alert.appeal.number
        for alert in DutyAlert.select().where(DutyAlert.taken_by == "").order_by(DutyAlert.at)
        if Handling.get_by_id(alert.appeal_id).state == "registered"
    ]
    answers = AppealStep.select(AppealStep.appeal).where(
        AppealStep.action == "answer", AppealStep.at >= since, AppealStep.at < until
    )
    unanswered = Handling.select().where(Handling.is_open)
    figures = {
        "date": f"{day:%d.%m.%Y}",
        "calls": balance.arrivals,
        "accepted": balance.outcomes.get("answered", 0),
        "registered": Appeal.select().where(registered).count(),
        "out_of_hours": alerts.count(),
        "answered": answers.distinct().count(),
        "open": unanswered.count(),
        "overdue": unanswered.where(Handling.due_on < day).count(),
    }
    lines = [
        N_("The day until {date}"),
        N_("Calls: {calls}, accepted: {accepted}"),
        N_("Appeals registered: {registered}, outside working hours: {out_of_hours}"),
        N_("Answered: {answered}; open: {open}, overdue: {overdue}"),
    ]
    texts = [translations.gettext(line).format(**figures) for line in lines]
    if waiting:
        more = "…" if len(waiting) > _MAX_LISTED_APPEALS else ""
        numbers = ", ".join(waiting[:_MAX_LISTED_APPEALS]) + more
        texts.append(
            translations.gettext(N_("Not taken by anybody: {numbers}")).format(numbers=numbers)
        )
    if head := audit.chain_head():
        texts.append(translations.gettext(N_("Audit up to {head}")).format(head=head.short))
    return "\n".join(texts)
