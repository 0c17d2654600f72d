"""Who may do what with which records: one table of role, action and scope.

Loaders and pages ask it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.core.i18n import N_
from appliance.models import User

NONE, OWN, DEPARTMENT, PART, REASON, GIVEN, ALL = (
    *("none", "own", "department", "part", "reason", "given", "all"),
)
SCOPES = {
    NONE: N_("no"),
    OWN: N_("own ones, and of the caller at hand"),
    DEPARTMENT: N_("of the department, of all without one"),
    PART: N_("without citizens' data"),
    REASON: N_("for a reason"),
    GIVEN: N_("who has the right, for a reason"),
    ALL: N_("all"),
}


@dataclass(frozen=True)
class Right:
    """One action, what it is called, and role → scope; a role that is not named may not."""

    action: str
    name: str  # a message id
    scopes: Mapping[str, str]


RIGHTS = (
    Right(
        "appeal.read",
        N_("Read appeals"),
        {"operator": OWN, "supervisor": ALL, "manager": ALL, "ministry": DEPARTMENT},
    ),
    Right(
        "appeal.personal",
        N_("Read personal appeals"),
        {"operator": OWN, "supervisor": REASON, "manager": REASON, "ministry": DEPARTMENT},
    ),
    Right(
        "call_form.read",
        N_("Read registered calls"),
        {"operator": OWN, "supervisor": ALL, "manager": ALL, "ministry": DEPARTMENT},
    ),
    Right(
        "recording.listen",
        N_("Listen to recordings"),
        {"supervisor": REASON, "manager": REASON, "ministry": GIVEN},
    ),
    Right(
        "evidence.make",
        N_("Have evidence packs made"),
        {"manager": REASON, "ministry": GIVEN},
    ),
    Right("data_request", N_("See to citizens' requests about own data"), {"manager": ALL}),
    Right("audit.read", N_("Read the audit"), {"manager": ALL, "technician": PART}),
)
_OF_ACTION = {right.action: right for right in RIGHTS}


def roles(action: str) -> tuple[str, ...]:
    """The roles that may do something at all."""
    return tuple(_OF_ACTION[action].scopes)


def scope_of(user: User, action: str) -> str:
    """With which records somebody may do something; NONE: with none."""
    return _OF_ACTION[action].scopes.get(user.role, NONE)
