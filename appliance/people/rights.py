"""The rights: one table of role, action and scope (requirement S1).

The scope says to which records the right applies. Each page declares its action
(web/shell/access.py), functions that load records ask for the scope, and the page *Rights* shows
the table (web/settings/rights.py). Rights that depend on the person, not only on the role, are
stored as Membership (department), ListeningRight (recordings), AppealReader (personal appeals).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.core.i18n import N_
from appliance.models import User

(
    NO_RECORDS,
    OWN_RECORDS,
    EXACT_NUMBER,
    DEPARTMENT_RECORDS,
    WITHOUT_PERSONAL_DATA,
    WITH_REASON,
    OWN_WITH_GRANT,
    WITH_GRANT,
    ALL_RECORDS,
) = (*("none", "own", "whole", "department", "part", "reason", "own_given", "given", "all"),)
SCOPE_LABELS = {
    NO_RECORDS: N_("no"),
    OWN_RECORDS: N_("own ones, and those of the current caller"),
    EXACT_NUMBER: N_("by the whole number or phone"),
    DEPARTMENT_RECORDS: N_("of their department; without a department, of all"),
    WITHOUT_PERSONAL_DATA: N_("without citizens' data"),
    WITH_REASON: N_("with a reason"),
    OWN_WITH_GRANT: N_("own ones, with the right granted, for a reason"),
    WITH_GRANT: N_("for people with the right, with a reason"),
    ALL_RECORDS: N_("all"),
}


@dataclass(frozen=True)
class Right:
    """One action with the scope that each role has; roles that are missing have no right.

    `subject` and `activity` are message ids: the object of the action, and what is done with it.
    """

    action: str
    subject: str
    activity: str
    scope_by_role: Mapping[str, str]


def _full_scope(*roles: str) -> dict[str, str]:
    """The scope ALL_RECORDS for these roles."""
    return dict.fromkeys(roles, ALL_RECORDS)


_LEADERS = _full_scope("supervisor", "manager")
_OFFICE = _full_scope("manager", "technician")
_MANAGER = _full_scope("manager")
_EVERYBODY_BUT_BACKUP = _full_scope("operator", "ministry") | _LEADERS | _OFFICE
_OPERATOR = {"operator": OWN_RECORDS}
_CORRECTORS = {"operator": OWN_RECORDS, "supervisor": ALL_RECORDS}
_MINISTRY = {"ministry": DEPARTMENT_RECORDS}  # of their department, or of all
_WATCHERS = _full_scope("manager", "technician", "backup")
_READ, _CHANGE, _WRITE, _APPROVE = (
    N_("reading"),
    N_("changing"),
    N_("writing"),
    N_("accepting the work"),
)
_APPEAL, _PERSONAL, _CALL_FORM = N_("Appeal"), N_("Personal appeal"), N_("Registered call")
_VOICE, _SMS, _ARTICLES, _SCRIPTS = N_("A recording"), N_("SMS"), N_("Articles"), N_("Scripts")
_FORMS, _LISTS, _PEOPLE, _KEYS = N_("Forms"), N_("Lists"), N_("People"), N_("Access keys")
_CALENDAR, _REQUEST = N_("Working calendar"), N_("Change request")

RIGHTS = tuple(
    Right(*row)
    for row in (
        ("appeal.read", _APPEAL, _READ, _OPERATOR | _LEADERS | _MINISTRY),
        ("appeal.list", _APPEAL, N_("lists, searches, files"), _LEADERS | _MINISTRY),
        ("appeal.find", N_("Find an appeal"), "", {"operator": EXACT_NUMBER}),
        ("appeal.correct", _APPEAL, N_("correcting"), _CORRECTORS),
        ("appeal.consult", _APPEAL, N_("consulting a specialist"), _CORRECTORS | _MINISTRY),
        ("appeal.answer", _APPEAL, N_("answering"), _MINISTRY),
        (
            *("appeal.personal", _PERSONAL, _READ),
            {"operator": OWN_RECORDS, "supervisor": WITH_REASON, "manager": WITH_REASON}
            | _MINISTRY,
        ),
        ("appeal.readers", _PERSONAL, N_("naming readers"), _MANAGER | _MINISTRY),
        ("applicant.export", N_("Applicants' names in files"), "", _MANAGER | _MINISTRY),
        ("consultation.read", N_("Consultations"), "", _OPERATOR | _LEADERS),
        ("call_form.read", _CALL_FORM, _READ, _OPERATOR | _LEADERS | _MINISTRY),
        ("call_form.export", N_("Registered calls, as a file"), "", _LEADERS | _MINISTRY),
        ("call_form.correct", _CALL_FORM, N_("correcting"), _CORRECTORS),
        (
            *("recording.listen", _VOICE, N_("listening")),
            {
                "operator": OWN_WITH_GRANT,
                "supervisor": WITH_REASON,
                "manager": WITH_REASON,
                "ministry": WITH_GRANT,
            },
        ),
        ("recording.grant", _VOICE, N_("right to listen"), _MANAGER),
        ("call.list", N_("Calls of a day"), "", _LEADERS),
        ("number.read", N_("Callers' numbers in reports"), "", _LEADERS),
        ("floor.lead", N_("Floor"), "", _LEADERS),
        ("topic.hear", N_("Pages updated by events"), "", _EVERYBODY_BUT_BACKUP),
        ("desk.work", N_("Workplace"), "", _OPERATOR),
        ("follow_up.work", N_("Missed callers"), "", _full_scope("operator") | _LEADERS),
        ("callback.work", N_("Callback"), "", _OPERATOR | _LEADERS),
        ("note.write", N_("Note on a number"), _WRITE, _OPERATOR),
        ("note.change", N_("Note on a number"), _CHANGE, _LEADERS),
        ("sms.read", _SMS, _READ, _OPERATOR | _LEADERS | _MINISTRY),
        ("sms.write", _SMS, _WRITE, _OPERATOR | _LEADERS),
        ("announcement.write", N_("Announcement"), _WRITE, _LEADERS),
        ("knowledge.read", N_("Knowledge base"), _READ, _EVERYBODY_BUT_BACKUP),
        ("article.read", _ARTICLES, N_("reading drafts"), _full_scope("manager", "ministry")),
        ("article.write", _ARTICLES, _WRITE, _MANAGER),
        ("article.approve", _ARTICLES, _APPROVE, _full_scope("ministry")),
        ("article.use", N_("Use of articles"), "", _full_scope("ministry") | _LEADERS),
        ("script.read", _SCRIPTS, _READ, _full_scope("ministry") | _LEADERS),
        ("script.counts", _SCRIPTS, N_("statistics"), _LEADERS),
        ("script.write", _SCRIPTS, _WRITE, _MANAGER),
        ("script.approve", _SCRIPTS, _APPROVE, _full_scope("ministry")),
        ("report.read", N_("Reports"), _READ, _full_scope("ministry") | _LEADERS),
        ("report.issue", N_("Reports"), N_("submitting"), _MANAGER),
        ("access_report.read", N_("Who viewed what"), "", _full_scope("manager", "ministry")),
        ("tariff.change", N_("A tariff"), _CHANGE, _MANAGER),
        ("capacity.read", N_("Capacity"), "", _LEADERS),
        ("staff.record", N_("Staff records"), "", _MANAGER),
        ("plan.change", N_("Telephony"), "", _OFFICE),
        ("prompt.change", N_("Prompts"), "", _OFFICE),
        ("directory.change", N_("Directory of employees"), "", _OFFICE),
        ("form.read", _FORMS, _READ, _LEADERS | _OFFICE),
        ("form.change", _FORMS, _CHANGE, _MANAGER),
        ("list.read", _LISTS, _READ, _LEADERS),
        ("list.change", _LISTS, _CHANGE, _MANAGER),
        ("department.change", N_("Departments"), "", _MANAGER),
        ("workday.read", N_("Operator's day"), _READ, _LEADERS),
        ("workday.limit", N_("Operator's day"), N_("limits"), _MANAGER),
        ("calendar.read", _CALENDAR, _READ, _EVERYBODY_BUT_BACKUP),
        ("calendar.change", _CALENDAR, _CHANGE, _MANAGER),
        ("person.read", _PEOPLE, _READ, _LEADERS | _OFFICE),
        ("person.change", _PEOPLE, _CHANGE, _OFFICE),
        ("session.end", N_("Sign-ins"), "", _OFFICE),
        ("right.read", N_("Rights"), _READ, _OFFICE),
        ("key.read", _KEYS, _READ, _full_scope("ministry") | _LEADERS | _OFFICE),
        ("key.make", _KEYS, N_("creating"), _MANAGER),
        ("key.confirm", _KEYS, N_("confirming"), _full_scope("ministry") | _LEADERS),
        ("key.revoke", _KEYS, N_("revoking"), _OFFICE),
        ("change.read", _REQUEST, _READ, _full_scope("ministry") | _OFFICE),
        ("change.ask", _REQUEST, N_("requesting"), _full_scope("ministry")),
        ("change.do", _REQUEST, N_("carrying out"), _OFFICE),
        ("status.read", N_("State of the system"), "", _WATCHERS),
        ("line.test", N_("A trunk"), N_("test call"), _full_scope("technician")),
        ("snapshot.keep", N_("Backups"), "", _full_scope("technician", "backup")),
        ("retention.read", N_("Retention"), _READ, _OFFICE),
        ("hold.change", N_("Protection from removal"), "", _MANAGER),
        (
            "evidence.make",
            N_("Evidence packs"),
            "",
            {"manager": WITH_REASON, "ministry": WITH_GRANT},
        ),
        ("data_request.answer", N_("Citizens' requests about their data"), "", _MANAGER),
        ("audit.read", N_("Audit"), _READ, _MANAGER | {"technician": WITHOUT_PERSONAL_DATA}),
        ("outbox.retry", N_("Messages"), "", _OFFICE),
        ("ministry.retry", N_("Ministry's system"), "", _OFFICE),
        ("notice.change", N_("Texts of messages"), _CHANGE, _MANAGER),
        ("account.change", N_("SMS accounts"), _CHANGE, _OFFICE),
    )
)
_RIGHT_BY_ACTION = {right.action: right for right in RIGHTS}


def allowed_roles(*actions: str) -> tuple[str, ...]:
    """Return the roles that have at least one of these rights, in any scope.

    Raises KeyError for an unknown action.
    """
    return tuple(
        dict.fromkeys(role for action in actions for role in _RIGHT_BY_ACTION[action].scope_by_role)
    )


def scope_of(user: User, action: str) -> str:
    """Return the scope of a user's right: to which records it applies, or NO_RECORDS."""
    return _RIGHT_BY_ACTION[action].scope_by_role.get(user.role, NO_RECORDS)


def has_full_scope(user: User, action: str) -> bool:
    """Returns True if the user has the right for every record."""
    return scope_of(user, action) == ALL_RECORDS


def has_right(user: User, action: str) -> bool:
    """Returns True if the user has the right for any record at all."""
    return scope_of(user, action) != NO_RECORDS
