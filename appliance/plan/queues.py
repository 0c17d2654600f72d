"""Asterisk's queues by name: languages, topics with operators of their own, everybody, each one."""

from appliance import staff
from appliance.models import User
from appliance.plan.shape import Plan

ANY = "any"  # everybody: for callers who have waited too long for their own operators


def shared(plan: Plan) -> list[str]:
    """Names of the queues that several operators serve."""
    languages = staff.CALL_LANGUAGES
    topics = [f"{language}-{code}" for code in plan.own_queues for language in languages]
    return [*languages, *topics, ANY]


def own(extension: str) -> str:
    """Name of the queue in which a caller waits who is meant for this operator alone."""
    return f"op-{extension}"


def queues_of(plan: Plan, user: User) -> list[str]:
    """Names of the queues whose callers ring this operator's phone."""
    languages = user.speaks.split()
    served = [name for name in shared(plan) if name.partition("-")[0] in languages]
    return [*served, ANY, own(user.extension)]
