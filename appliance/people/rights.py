"""Who may do what with which records: one table of role, action and scope (requirement S1).

Pages are declared by an action (web/shell/access.py), loaders ask for the scope, and the page
*Rights* shows the table (web/settings/rights.py). Where it goes by the person and not by the role
alone, it is kept as Membership (department), ListeningRight (recordings), AppealReader (personal
appeals).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.core.i18n import N_
from appliance.models import User

NONE, OWN, WHOLE, DEPARTMENT, PART, REASON, OWN_GIVEN, GIVEN, ALL = (
    *("none", "own", "whole", "department", "part", "reason", "own_given", "given", "all"),
)
SCOPES = {
    NONE: N_("no"),
    OWN: N_("own ones, and of the caller at hand"),
    WHOLE: N_("by the whole number or phone"),
    DEPARTMENT: N_("of the department, of all without one"),
    PART: N_("without citizens' data"),
    REASON: N_("for a reason"),
    OWN_GIVEN: N_("own ones, who has the right, for a reason"),
    GIVEN: N_("who has the right, for a reason"),
    ALL: N_("all"),
}


@dataclass(frozen=True)
class Right:
    """One action, what it is called, and role → scope; a role that is not named may not.

    `thing` and `done` are message ids: with what it is done, and what is done.
    """

    action: str
    thing: str
    done: str
    scopes: Mapping[str, str]


def _all(*roles: str) -> dict[str, str]:
    return dict.fromkeys(roles, ALL)


_LEADS = _all("supervisor", "manager")
_OFFICE = _all("manager", "technician")
_MANAGER = _all("manager")
_EVERYBODY_BUT_BACKUP = _all("operator", "ministry") | _LEADS | _OFFICE
_OPERATOR = {"operator": OWN}
_CORRECTS = {"operator": OWN, "supervisor": ALL}
_MINISTRY = {"ministry": DEPARTMENT}  # appeals of his department; all of them without one
_WATCHES = _all("manager", "technician", "backup")
_READ, _CHANGE, _WRITE, _APPROVE = N_("reading"), N_("changing"), N_("writing"), N_("approving")
_APPEAL, _PERSONAL, _CALL_FORM = N_("Appeal"), N_("Personal appeal"), N_("Registered call")
_VOICE, _SMS, _ARTICLES, _SCRIPTS = N_("A recording"), N_("SMS"), N_("Articles"), N_("Scripts")
_FORMS, _LISTS, _PEOPLE, _KEYS = N_("Forms"), N_("Lists"), N_("People"), N_("Access keys")
_CALENDAR, _REQUEST = N_("Working calendar"), N_("Change request")

RIGHTS = tuple(
    Right(*row)
    for row in (
        ("appeal.read", _APPEAL, _READ, _OPERATOR | _LEADS | _MINISTRY),
        ("appeal.list", _APPEAL, N_("lists, searches, files"), _LEADS | _MINISTRY),
        ("appeal.find", N_("Find an appeal"), "", {"operator": WHOLE}),
        ("appeal.correct", _APPEAL, N_("correcting"), _CORRECTS),
        ("appeal.consult", _APPEAL, N_("asking a specialist"), _CORRECTS | _MINISTRY),
        ("appeal.answer", _APPEAL, N_("answering"), _MINISTRY),
        (
            *("appeal.personal", _PERSONAL, _READ),
            {"operator": OWN, "supervisor": REASON, "manager": REASON} | _MINISTRY,
        ),
        ("appeal.readers", _PERSONAL, N_("naming who reads it"), _MANAGER | _MINISTRY),
        ("applicant.export", N_("Applicants' names in files"), "", _MANAGER | _MINISTRY),
        ("consultation.read", N_("Consultations"), "", _OPERATOR | _LEADS),
        ("call_form.read", _CALL_FORM, _READ, _OPERATOR | _LEADS | _MINISTRY),
        ("call_form.export", N_("Registered calls, as a file"), "", _LEADS | _MINISTRY),
        ("call_form.correct", _CALL_FORM, N_("correcting"), _CORRECTS),
        (
            *("recording.listen", _VOICE, N_("listening")),
            {"operator": OWN_GIVEN, "supervisor": REASON, "manager": REASON, "ministry": GIVEN},
        ),
        ("recording.grant", _VOICE, N_("right to listen"), _MANAGER),
        ("call.list", N_("Calls of a day"), "", _LEADS),
        ("number.read", N_("Callers' numbers in reports"), "", _LEADS),
        ("floor.lead", N_("Floor"), "", _LEADS),
        ("topic.hear", N_("Pages that follow events"), "", _EVERYBODY_BUT_BACKUP),
        ("desk.work", N_("Workplace"), "", _OPERATOR),
        ("follow_up.work", N_("Missed callers"), "", _all("operator") | _LEADS),
        ("callback.work", N_("Callback"), "", _OPERATOR | _LEADS),
        ("note.write", N_("Note on a number"), _WRITE, _OPERATOR),
        ("note.change", N_("Note on a number"), _CHANGE, _LEADS),
        ("sms.read", _SMS, _READ, _OPERATOR | _LEADS | _MINISTRY),
        ("sms.write", _SMS, _WRITE, _OPERATOR | _LEADS),
        ("announcement.write", N_("Announcement"), _WRITE, _LEADS),
        ("knowledge.read", N_("Knowledge base"), _READ, _EVERYBODY_BUT_BACKUP),
        ("article.read", _ARTICLES, N_("reading drafts"), _all("manager", "ministry")),
        ("article.write", _ARTICLES, _WRITE, _MANAGER),
        ("article.approve", _ARTICLES, _APPROVE, _all("ministry")),
        ("article.use", N_("Use of articles"), "", _all("ministry") | _LEADS),
        ("script.read", _SCRIPTS, _READ, _all("ministry") | _LEADS),
        ("script.counts", _SCRIPTS, N_("counts"), _LEADS),
        ("script.write", _SCRIPTS, _WRITE, _MANAGER),
        ("script.approve", _SCRIPTS, _APPROVE, _all("ministry")),
        ("report.read", N_("Reports"), _READ, _all("ministry") | _LEADS),
        ("report.issue", N_("Reports"), N_("issuing"), _MANAGER),
        ("access_report.read", N_("Who looked at whom"), "", _all("manager", "ministry")),
        ("tariff.change", N_("A tariff"), _CHANGE, _MANAGER),
        ("capacity.read", N_("Capacity"), "", _LEADS),
        ("staff.record", N_("Staff records"), "", _MANAGER),
        ("plan.change", N_("Telephony"), "", _OFFICE),
        ("prompt.change", N_("Prompts"), "", _OFFICE),
        ("directory.change", N_("Directory"), "", _OFFICE),
        ("form.read", _FORMS, _READ, _LEADS | _OFFICE),
        ("form.change", _FORMS, _CHANGE, _MANAGER),
        ("list.read", _LISTS, _READ, _LEADS),
        ("list.change", _LISTS, _CHANGE, _MANAGER),
        ("department.change", N_("Departments"), "", _MANAGER),
        ("workday.read", N_("Operator's day"), _READ, _LEADS),
        ("workday.limit", N_("Operator's day"), N_("limits"), _MANAGER),
        ("calendar.read", _CALENDAR, _READ, _EVERYBODY_BUT_BACKUP),
        ("calendar.change", _CALENDAR, _CHANGE, _MANAGER),
        ("person.read", _PEOPLE, _READ, _LEADS | _OFFICE),
        ("person.change", _PEOPLE, _CHANGE, _OFFICE),
        ("session.end", N_("Sign-ins"), "", _OFFICE),
        ("right.read", N_("Rights"), _READ, _OFFICE),
        ("key.read", _KEYS, _READ, _all("ministry") | _LEADS | _OFFICE),
        ("key.make", _KEYS, N_("making"), _MANAGER),
        ("key.confirm", _KEYS, N_("confirming"), _all("ministry") | _LEADS),
        ("key.revoke", _KEYS, N_("revoking"), _OFFICE),
        ("change.read", _REQUEST, _READ, _all("ministry") | _OFFICE),
        ("change.ask", _REQUEST, N_("asking"), _all("ministry")),
        ("change.do", _REQUEST, N_("seeing to it"), _OFFICE),
        ("status.read", N_("State of the system"), "", _WATCHES),
        ("line.test", N_("A line"), N_("test call"), _all("technician")),
        ("snapshot.keep", N_("Backups"), "", _all("technician", "backup")),
        ("retention.read", N_("Retention"), _READ, _OFFICE),
        ("hold.change", N_("Protection from removal"), "", _MANAGER),
        ("evidence.make", N_("Evidence packs"), "", {"manager": REASON, "ministry": GIVEN}),
        ("data_request.answer", N_("Citizens' requests about own data"), "", _MANAGER),
        ("audit.read", N_("Audit"), _READ, _MANAGER | {"technician": PART}),
        ("outbox.retry", N_("Messages"), "", _OFFICE),
        ("ministry.retry", N_("Ministry's system"), "", _OFFICE),
        ("notice.change", N_("Texts of messages"), _CHANGE, _MANAGER),
        ("account.change", N_("SMS accounts"), _CHANGE, _OFFICE),
    )
)
_OF_ACTION = {right.action: right for right in RIGHTS}


def roles(*actions: str) -> tuple[str, ...]:
    """The roles that may do something at all, or one of several things. Raises KeyError."""
    return tuple(dict.fromkeys(r for action in actions for r in _OF_ACTION[action].scopes))


def scope_of(user: User, action: str) -> str:
    """With which records somebody may do something; NONE: with none."""
    return _OF_ACTION[action].scopes.get(user.role, NONE)


def of_all(user: User, action: str) -> bool:
    """Whether somebody may do something with every record."""
    return scope_of(user, action) == ALL


def has(user: User, action: str) -> bool:
    """Whether somebody may do something with any record at all."""
    return scope_of(user, action) != NONE
