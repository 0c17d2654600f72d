"""The telephony plan shown as the stages of a call, and the rehearsal of a call."""

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
from appliance.web.settings import routing_labels
from appliance.web.settings.prompt_labels import prompt_title
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import site
from appliance.web.shell.formats import phone
from appliance.web.shell.language import locale

screen = Blueprint("line", __name__, url_prefix="/telephony")


@dataclass(frozen=True)
class CallStage:
    """A stage of a call, such as "Queue", as the page shows it.

    `facts` are sentences about its settings, `section` is the section of the plan where they are
    changed, `prompts` are the names of the prompts that are played.
    """

    name: str
    section: str
    facts: tuple[str, ...]
    prompts: tuple[str, ...] = ()


@screen.get("")
@may("plan.change")
def show_stages() -> str:
    """Show the stages of a call, each with its settings and prompts."""
    return _render_page()


@screen.get("/try")
@may("plan.change")
@long_running
def show_rehearsal() -> str | tuple[str, int]:
    """Rehearse the call described by the URL's parameters, and show what would happen to it.

    The parameters are `from` (the caller's number), `number` (the number dialled), `date`, `time`
    and `keys` (the keys pressed). The call is made at a second Asterisk, which takes ten seconds or
    more.
    """
    if not (called_at := _requested_datetime()):
        return _render_page(
            complaint=_("Enter a date such as 05.12.2026 and a time such as 14:30.")
        ), 422
    caller = request.args.get("from", "").strip()
    caller_number = phone_numbers.canonical_number(caller) or caller
    call = actions.RehearsalCall(
        caller_number, request.args.get("number", ""), called_at, request.args.get("keys", "")
    )
    try:
        events = actions.rehearse_call(site(), call)
    except actions.PlanRejected as error:
        return _render_page(complaint=_("It could not be checked: %(why)s", why=str(error))), 503
    return _render_page(event_texts=_call_event_texts(routing.current_plan(site()), events))


def _render_page(event_texts: list[tuple[str, str, str]] | None = None, complaint: str = "") -> str:
    """Render the page with the stages of a call.

    `event_texts` has (icon, event, detail) of each event of a rehearsed call, if there was one;
    `complaint` is why the rehearsal failed.
    """
    plan = routing.current_plan(site())
    now = clock.now().astimezone(site().tz)
    return render_template(
        "line/page.html",
        words=routing_labels,
        boxes=_call_stages(plan),
        title=prompt_title,
        spoken={
            language: {prompt.name: prompt.text for prompt in _prompts_with_sound(language)}
            for language in prompts.LANGUAGES
        },
        numbers=[n.number for n in plan.numbers if n.number] or [site().calls.hotline_number],
        asked={"date": f"{now:%d.%m.%Y}", "time": f"{now:%H:%M}"} | request.args.to_dict(),
        road=event_texts,
        complaint=complaint,
    )


def _prompts_with_sound(language: str) -> Iterable[prompts.PromptInfo]:
    """Return the prompts of a language that have a sound file of known length."""
    prompt_list = prompts.list_prompts(site().paths.prompts, language)
    return (prompt for prompt in prompt_list if prompt.seconds is not None)


def _requested_datetime() -> dt.datetime | None:
    """Return the requested time of the call in the site's zone, if it is valid."""
    text = f"{request.args.get('date', '')} {request.args.get('time', '')}"
    try:
        return dt.datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=site().tz)
    except ValueError:
        return None


def _call_stages(plan: Plan) -> list[CallStage]:
    """Return the stages of a call under this plan, in the order in which a caller passes them."""
    return [
        CallStage(_("Number"), "numbers", _number_facts(plan), ("greeting", "notice")),
        CallStage(_("Language"), "numbers", _language_facts(plan), ("menu", *_hours_prompts(plan))),
        CallStage(_("Topic"), "topics", _topic_facts(plan), ("topics",) if plan.topics else ()),
        CallStage(_("Queue"), "queues", _queue_facts(plan), ("queue-youarenext", "queue-thereare")),
        CallStage(_("Long wait"), "queues", _long_wait_facts(plan), ("all-busy",)),
        CallStage(
            _("Callback"),
            "callback",
            _callback_facts(plan),
            ("callback-offer", "callback-accepted"),
        ),
    ]


def _number_facts(plan: Plan) -> tuple[str, ...]:
    """Return the sentences about the stage "Number": our numbers, blocked and hidden callers."""
    own_numbers = [phone(n.number) for n in plan.numbers if n.number]
    blocked = ngettext(
        "%(num)s number is blocked", "%(num)s numbers are blocked", len(plan.blocked)
    )
    hidden = routing_labels.CHOICES["anonymous"][plan.anonymous]
    return (
        ", ".join(own_numbers) or _("all of our numbers"),
        *((blocked,) if plan.blocked else ()),
        _("Hidden numbers %(how)s", how=hidden),
    )


def _language_facts(plan: Plan) -> tuple[str, ...]:
    """Return the sentences about the stage "Language".

    They are about the menu's keys, the numbers with only one language, and the ministry's hours.
    """
    facts = [_("1: Uzbek, 2: Russian; no key: Uzbek")]
    language_names = routing_labels.CHOICES["numbers.languages"]
    facts += [
        f"{phone(n.number) or _('other numbers')}: {language_names[n.languages[0]]}"
        for n in plan.numbers
        if len(n.languages) == 1
    ]
    if plan.hours.closed:
        hours = {"opens": site().work_opens, "closes": site().work_closes}
        facts.append(_("Announced outside %(opens)s–%(closes)s", **hours))
    return tuple(facts)


def _hours_prompts(plan: Plan) -> tuple[str, ...]:
    """Return the names of the prompts that the plan plays outside the ministry's hours."""
    return tuple(name for name in ("closed", "holiday") if getattr(plan.hours, name))


def _topic_facts(plan: Plan) -> tuple[str, ...]:
    """Return the sentences about the stage "Topic": where each key of the menu leads."""
    if not plan.topics:
        return (_("The topic is not asked: straight to the queue"),)
    action_names = routing_labels.CHOICES["topics.action"]
    topics = sorted(plan.topics, key=lambda topic: topic.keys)
    return tuple(f"{t.keys}: {t.spoken_name(locale())} – {action_names[t.action]}" for t in topics)


def _queue_facts(plan: Plan) -> tuple[str, ...]:
    """Return the sentences about the stage "Queue".

    They give the number of operators of each queue, and how long a phone rings.
    """
    queues = routing.operators_per_queue(plan)
    return (
        *(
            ngettext(
                "%(name)s: %(num)s operator",
                "%(name)s: %(num)s operators",
                count,
                name=_queue_name(q),
            )
            for q, count in queues.items()
            if q != routing.ANY_QUEUE
        ),
        _("A phone rings for %(seconds)s s", seconds=plan.queueing.ring),
    )


def _queue_name(queue: str) -> str:
    """Return the title of a queue in the reader's language."""
    return routing.queue_title(queue, _)


def _long_wait_facts(plan: Plan) -> tuple[str, ...]:
    """Return the sentences about the stage "Long wait".

    They say after how long the operators of all queues are tried, and after how long the wait ends.
    """
    queueing = plan.queueing
    return (
        _("After %(seconds)s s: any operator", seconds=queueing.fall_back_after)
        if queueing.falls_back
        else _("Not passed to other operators"),
        _("After %(seconds)s s: the wait ends", seconds=queueing.max_wait),
    )


def _callback_facts(plan: Plan) -> tuple[str, ...]:
    """Return the sentences about the stage "Callback": when callers are offered one."""
    callback = plan.callback
    facts = []
    if callback.offered:
        offer = {"key": callback.key, "seconds": callback.offer_every}
        facts.append(_("Key %(key)s while waiting, offered every %(seconds)s s", **offer))
    if callback.at_the_end:
        facts.append(_("Offered when the wait is over"))
    return tuple(facts) or (_("Not offered"),)


def _call_event_texts(
    plan: Plan, events: list[actions.RehearsalEvent]
) -> list[tuple[str, str, str]]:
    """Return (icon, event, detail) of each event of a rehearsed call, as text.

    `events` are what the caller meets, such as a prompt, a menu or a queue; `plan` is the telephony
    plan in force, which names topics and queues.
    """
    steps = [_event_text(plan, event) for event in events]
    if not events or events[-1].kind != "refused":
        steps.append(("check", _("The call ends, unless an operator has answered"), ""))
    return steps


def _event_text(plan: Plan, event: actions.RehearsalEvent) -> tuple[str, str, str]:
    """Return (icon, event, detail) of one event of a rehearsed call, as text."""
    refusals = {
        "blocked": _("Refused: the number is blocked"),
        "anonymous": _("Refused: the number is hidden"),
        "full": _("Refused: too many calls"),
    }
    match event.kind:
        case "prompts":
            names = ", ".join(prompt_title(name) for name in event.detail.split())
            return (
                "volume-2",
                _("Prompts played: %(prompts)s", prompts=names),
                _language_name(event.language),
            )
        case "key":
            return (
                "keyboard",
                _("Presses %(key)s", key=event.detail) if event.detail else _("Presses nothing"),
                "",
            )
        case "language":
            return "languages", _("Language: %(name)s", name=_language_name(event.detail)), ""
        case "closed":
            return "clock", _("A message that the ministry is closed; the call continues"), ""
        case "topic":
            topic_name = next(
                (t.spoken_name(locale()) for t in plan.topics if t.code == event.detail),
                event.detail,
            )
            return "list", _("Topic: %(name)s", name=topic_name), ""
        case "queue":
            return (
                "hourglass",
                _("Queue %(name)s", name=_queue_name(event.detail)),
                _max_wait_text(plan, event.detail),
            )
        case "callback":
            return (
                "phone-outgoing",
                _("Will be called back on %(number)s", number=phone(event.detail)),
                "",
            )
        case "employee":
            return (
                "phone-forwarded",
                _("Calling the employee %(number)s", number=phone(event.detail)),
                "",
            )
    return "phone-off", refusals.get(event.detail, event.detail), ""


def _language_name(language: str) -> str:
    """Return the name of a call's language, or the code itself if it is unknown."""
    return str(routing_labels.CHOICES["numbers.languages"].get(language, language))


def _max_wait_text(plan: Plan, queue: str) -> str:
    """Return the longest wait in a queue, as text.

    A caller waits in a queue of their own topic or language first, and the rest of the time in
    ANY_QUEUE, which all operators serve.
    """
    queueing = plan.queueing
    own_queue_seconds = queueing.own_wait_seconds
    seconds = (
        queueing.max_wait - own_queue_seconds if queue == routing.ANY_QUEUE else own_queue_seconds
    )
    return str(_("at most %(seconds)s s", seconds=seconds))
