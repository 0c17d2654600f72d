"""The telephony as the picture of a call, and what would become of one."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext

from appliance.core import clock, phone_numbers
from appliance.pbx import actions
from appliance.telephony import prompts, routing
from appliance.telephony.routing import Plan
from appliance.web.settings import routing_words
from appliance.web.settings.prompt_words import title
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import site
from appliance.web.shell.formats import phone
from appliance.web.shell.language import locale

screen = Blueprint("line", __name__, url_prefix="/telephony")


@dataclass(frozen=True)
class Box:
    """A stage of the call: what holds there, the section that sets it, the prompts it plays."""

    name: str
    section: str
    facts: tuple[str, ...]
    prompts: tuple[str, ...] = ()


@screen.get("")
@may("plan.change")
def page() -> str:
    """The stages of a call, each with its settings and prompts."""
    return _page()


@screen.get("/try")
@may("plan.change")
@heavy
def tried() -> str | tuple[str, int]:
    """The same, and what would become of the call that is described (`from`, `number`, `date`,
    `time`, `keys`): it is made at a second Asterisk, which takes ten seconds or more."""
    if not (at := _moment()):
        return _page(complaint=_("A date as 05.12.2026 and a time as 14:30 are needed.")), 422
    caller = request.args.get("from", "").strip()
    known = phone_numbers.canonical(caller) or caller
    call = actions.Rehearsed(
        known, request.args.get("number", ""), at, request.args.get("keys", "")
    )
    try:
        stations = actions.rehearse(site(), call)
    except actions.NotTaken as error:
        return _page(complaint=_("It could not be tried: %(why)s", why=str(error))), 503
    return _page(road=_road(routing.current(site()), stations))


def _page(road: list[tuple[str, str, str]] | None = None, complaint: str = "") -> str:
    current = routing.current(site())
    now = clock.now().astimezone(site().tz)
    return render_template(
        "line/page.html",
        words=routing_words,
        boxes=_boxes(current),
        title=title,
        spoken={
            language: {one.name: one.text for one in _listed(language)}
            for language in prompts.LANGUAGES
        },
        numbers=[n.number for n in current.numbers if n.number] or [site().calls.hotline_number],
        asked={"date": f"{now:%d.%m.%Y}", "time": f"{now:%H:%M}"} | request.args.to_dict(),
        road=road,
        complaint=complaint,
    )


def _listed(language: str) -> Iterable[prompts.Listed]:
    heard = prompts.listed(site().paths.prompts, language)
    return (one for one in heard if one.seconds is not None)


def _moment() -> dt.datetime | None:
    text = f"{request.args.get('date', '')} {request.args.get('time', '')}"
    try:
        return dt.datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=site().tz)
    except ValueError:
        return None


def _boxes(current: Plan) -> list[Box]:
    """The stages, in the order in which a caller meets them."""
    return [
        Box(_("Number"), "numbers", _number(current), ("greeting", "notice")),
        Box(_("Language"), "numbers", _language(current), ("menu", *_hours(current))),
        Box(_("Topic"), "topics", _topic(current), ("topics",) if current.topics else ()),
        Box(_("Queue"), "queues", _queue(current), ("queue-youarenext", "queue-thereare")),
        Box(_("Overflow"), "queues", _overflow(current), ("all-busy",)),
        Box(_("Callback"), "callback", _callback(current), ("callback-offer", "callback-accepted")),
    ]


def _number(current: Plan) -> tuple[str, ...]:
    own = [phone(n.number) for n in current.numbers if n.number]
    refused = ngettext(
        "%(num)s number is blocked", "%(num)s numbers are blocked", len(current.blocked)
    )
    hidden = routing_words.CHOICES["anonymous"][current.anonymous]
    return (
        ", ".join(own) or _("every number of ours"),
        *((refused,) if current.blocked else ()),
        _("Hidden numbers %(how)s", how=hidden),
    )


def _language(current: Plan) -> tuple[str, ...]:
    facts = [_("1: Uzbek, 2: Russian; no key: Uzbek")]
    spoken = routing_words.CHOICES["numbers.languages"]
    facts += [
        f"{phone(n.number) or _('other numbers')}: {spoken[n.languages[0]]}"
        for n in current.numbers
        if len(n.languages) == 1
    ]
    if current.hours.closed:
        hours = {"opens": site().work_opens, "closes": site().work_closes}
        facts.append(_("Says when it is outside %(opens)s–%(closes)s", **hours))
    return tuple(facts)


def _hours(current: Plan) -> tuple[str, ...]:
    return tuple(name for name in ("closed", "holiday") if getattr(current.hours, name))


def _topic(current: Plan) -> tuple[str, ...]:
    if not current.topics:
        return (_("Nothing is asked: straight to the queue"),)
    leads = routing_words.CHOICES["topics.action"]
    topics = sorted(current.topics, key=lambda topic: topic.keys)
    return tuple(f"{t.keys}: {_topic_name(t)} – {leads[t.action]}" for t in topics)


def _topic_name(topic: routing.Topic) -> str:
    return topic.ru if locale() == "ru" else topic.uz


def _queue(current: Plan) -> tuple[str, ...]:
    queues = routing.staffed(current)
    return (
        *(
            ngettext(
                "%(name)s: %(num)s operator", "%(name)s: %(num)s operators", count, name=_name(q)
            )
            for q, count in queues.items()
            if q != routing.ANY
        ),
        _("A phone rings for %(seconds)s s", seconds=current.queueing.ring),
    )


def _name(queue: str) -> str:
    return routing.queue_title(queue, _)


def _overflow(current: Plan) -> tuple[str, ...]:
    queueing = current.queueing
    return (
        _("After %(seconds)s s: any operator", seconds=queueing.fall_back_after)
        if queueing.falls_back
        else _("No other operators are asked"),
        _("After %(seconds)s s: the wait is over", seconds=queueing.max_wait),
    )


def _callback(current: Plan) -> tuple[str, ...]:
    callback = current.callback
    facts = []
    if callback.offered:
        every = {"key": callback.key, "seconds": callback.offer_every}
        facts.append(_("Key %(key)s while waiting, offered every %(seconds)s s", **every))
    if callback.at_the_end:
        facts.append(_("Offered when the wait is over"))
    return tuple(facts) or (_("Not offered"),)


def _road(current: Plan, stations: list[actions.Station]) -> list[tuple[str, str, str]]:
    """(icon, what happens, more) of each station, in words."""
    told = [_station(current, one) for one in stations]
    if not stations or stations[-1].kind != "refused":
        told.append(("check", _("The call ends, unless an operator has answered"), ""))
    return told


def _station(current: Plan, one: actions.Station) -> tuple[str, str, str]:
    refusals = {
        "blocked": _("Refused: the number is blocked"),
        "anonymous": _("Refused: the number is hidden"),
        "full": _("Refused: too many calls"),
    }
    match one.kind:
        case "prompts":
            names = ", ".join(title(name) for name in one.what.split())
            return "volume-2", _("Hears: %(prompts)s", prompts=names), _spoken(one.language)
        case "key":
            return (
                "keyboard",
                _("Presses %(key)s", key=one.what) if one.what else _("Presses nothing"),
                "",
            )
        case "language":
            return "languages", _("Language: %(name)s", name=_spoken(one.what)), ""
        case "closed":
            return "clock", _("The ministry is closed; the call goes on"), ""
        case "topic":
            named = next((_topic_name(t) for t in current.topics if t.code == one.what), one.what)
            return "list", _("Topic: %(name)s", name=named), ""
        case "queue":
            return "hourglass", _("Queue %(name)s", name=_name(one.what)), _wait(current, one.what)
        case "callback":
            return "phone-outgoing", _("Is called back on %(number)s", number=phone(one.what)), ""
        case "employee":
            return (
                "phone-forwarded",
                _("The employee %(number)s is called", number=phone(one.what)),
                "",
            )
    return "phone-off", refusals.get(one.what, one.what), ""


def _spoken(language: str) -> str:
    return str(routing_words.CHOICES["numbers.languages"].get(language, language))


def _wait(current: Plan, queue: str) -> str:
    queueing = current.queueing
    own = queueing.own_wait
    seconds = queueing.max_wait - own if queue == routing.ANY else own
    return _("at most %(seconds)s s", seconds=seconds)
