"""The daily summary for the ministry's group: figures and numbers of appeals, nobody's data."""

import datetime as dt

from appliance.core import audit, i18n, outbox
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.messaging.notices import duty
from appliance.models import Appeal, AppealStep, DutyAlert, Handling, Message
from appliance.telephony import calls

_KEPT = dt.timedelta(days=1)  # the next one says more
_NAMED = 10  # appeals that nobody took


def put(settings: Settings, until: dt.datetime) -> Message | None:
    """Write down the summary of the 24 hours before a moment, once; None without Telegram."""
    bot = settings.telegram
    if not bot:
        return None
    day = until.astimezone(settings.tz).date()
    return outbox.put(
        "telegram",
        "summary",
        duty.chat_of(bot.chat),
        key=f"summary:{day}",
        text=wording(settings, until),
        kept=_KEPT,
    )


def wording(settings: Settings, until: dt.datetime) -> str:
    """What the group reads."""
    since = until - dt.timedelta(days=1)
    day = until.astimezone(settings.tz).date()
    say = i18n.translations(settings.telegram.language if settings.telegram else i18n.DEFAULT)
    balance = calls.balance(since, until)
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
        N_("Appeals registered: {registered}, out of hours: {out_of_hours}"),
        N_("Answered: {answered}; open: {open}, overdue: {overdue}"),
    ]
    texts = [say.gettext(line).format(**figures) for line in lines]
    if waiting:
        more = "…" if len(waiting) > _NAMED else ""
        numbers = ", ".join(waiting[:_NAMED]) + more
        texts.append(say.gettext(N_("Nobody has taken: {numbers}")).format(numbers=numbers))
    if head := audit.head():
        texts.append(say.gettext(N_("Audit up to {head}")).format(head=head.short))
    return "\n".join(texts)
