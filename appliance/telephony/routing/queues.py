"""Names of Asterisk's queues: per language, per topic, for all operators, for one operator.

Only topics whose action is "own_queue" have queues, one for each language.
"""

from collections.abc import Callable

from appliance.core.i18n import N_
from appliance.models import User
from appliance.people import accounts
from appliance.telephony.routing.plan import Plan

ANY_QUEUE = "any"  # all operators: for callers who have waited too long for their own operators
_OWN_PREFIX = "op-"


def shared_queues(plan: Plan) -> list[str]:
    """Names of the queues that several operators serve."""
    languages = accounts.CALL_LANGUAGES
    topics = [f"{language}-{code}" for code in plan.own_queues for language in languages]
    return [*languages, *topics, ANY_QUEUE]


def own_queue(extension: str) -> str:
    """Name of the queue for callers who wait for one operator only."""
    return f"{_OWN_PREFIX}{extension}"


def operator_queues(plan: Plan, user: User) -> list[str]:
    """Return the queues that ring this operator's phone.

    They depend on the languages that the operator speaks and the topics that the operator serves.
    """
    languages = user.speaks.split()
    queues = [
        name
        for name, (language, _, topic) in ((n, n.partition("-")) for n in shared_queues(plan))
        if language in languages and (not topic or accounts.serves_topic(user, topic))
    ]
    return [*queues, ANY_QUEUE, own_queue(user.extension)]


def operators_per_queue(plan: Plan) -> dict[str, int]:
    """Return the number of operators that serve each shared queue, at work or not, by its name."""
    operators = accounts.active_operators()
    return {
        name: sum(name in operator_queues(plan, operator) for operator in operators)
        for name in shared_queues(plan)
    }


def queue_title(name: str, translate: Callable[[str], str]) -> str:
    """Return the title of a queue that people read, even if only an earlier plan had the queue.

    `translate` translates a message id.
    """
    if name == ANY_QUEUE:
        return translate(N_("Any operator"))
    if name.startswith(_OWN_PREFIX):
        return translate(N_("Phone {extension}")).format(extension=name.removeprefix(_OWN_PREFIX))
    language, _, topic = name.partition("-")
    names = accounts.CALL_LANGUAGES
    language_title = translate(names[language]) if language in names else language
    return f"{language_title}, {topic}" if topic else language_title
