"""Asterisk's queues by name: languages, topics with operators of their own, everybody, each one."""

from collections.abc import Callable

from appliance.core.i18n import N_
from appliance.models import User
from appliance.people import accounts
from appliance.telephony.routing.shape import Plan

ANY = "any"  # everybody: for callers who have waited too long for their own operators
_OWN = "op-"


def shared(plan: Plan) -> list[str]:
    """Names of the queues that several operators serve."""
    languages = accounts.CALL_LANGUAGES
    topics = [f"{language}-{code}" for code in plan.own_queues for language in languages]
    return [*languages, *topics, ANY]


def own(extension: str) -> str:
    """Name of the queue in which a caller waits who is meant for this operator alone."""
    return f"{_OWN}{extension}"


def queues_of(plan: Plan, user: User) -> list[str]:
    """Names of the queues whose callers ring this operator's phone: his languages and topics."""
    languages = user.speaks.split()
    served = [
        name
        for name, (language, _, topic) in ((n, n.partition("-")) for n in shared(plan))
        if language in languages and (not topic or accounts.serves(user, topic))
    ]
    return [*served, ANY, own(user.extension)]


def staffed(plan: Plan) -> dict[str, int]:
    """Name → how many operators each shared queue has, at work or not."""
    operators = accounts.operators()
    return {
        name: sum(name in queues_of(plan, operator) for operator in operators)
        for name in shared(plan)
    }


def queue_title(name: str, say: Callable[[str], str]) -> str:
    """What people call a queue, also one of a former plan; `say` translates a message id."""
    if name == ANY:
        return say(N_("Any operator"))
    if name.startswith(_OWN):
        return say(N_("Phone {extension}")).format(extension=name.removeprefix(_OWN))
    language, _, topic = name.partition("-")
    names = accounts.CALL_LANGUAGES
    spoken = say(names[language]) if language in names else language
    return f"{spoken}, {topic}" if topic else spoken
