"""The daily summary for the ministry's group: figures and numbers of appeals, nobody's data."""

import datetime as dt

from appliance import calls, clock, i18n, outbox, runs
from appliance.models import Appeal, AppealStep, DutyAlert, Handling, Message
from appliance.notices import duty
from appliance.settings import Settings

_KEPT = dt.timedelta(days=1)  # the next one says more
_NAMED = 10  # appeals that nobody took


def N_(text: str) -> str:
    """Mark a message id for the catalogues."""
    return text


def slot(settings: Settings) -> runs.Slot | None:
    """When it is due; None on a site that wants none."""
    told = settings.telegram.summary if settings.telegram else ""
    return runs.daily(dt.time.fromisoformat(told), settings.tz) if told else None


def tell(settings: Settings) -> None:
    """Put the newest summary that is due."""
    if due := slot(settings):
        put(settings, due(clock.now()))


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
    told = [say.gettext(line).format(**figures) for line in lines]
    if waiting:
        more = "…" if len(waiting) > _NAMED else ""
        numbers = ", ".join(waiting[:_NAMED]) + more
        told.append(say.gettext(N_("Nobody has taken: {numbers}")).format(numbers=numbers))
    return "\n".join(told)
