"""The staff as a CSV file: parsed and checked line by line, and written."""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from appliance.core import spreadsheets
from appliance.core.i18n import fold_text
from appliance.core.refusals import Refused
from appliance.models import Department, Membership, User
from appliance.people import staff
from appliance.people.staff import StaffEntry

COLUMNS = (
    *("login", "name", "name_cyrl", "role", "languages", "topics", "extension", "department"),
)
REQUIRED_COLUMNS = ("login", "name", "role")
NO_TOPIC = "-"  # no topic at all; an empty field means every topic
MAX_PEOPLE = 300  # per file
_SEPARATORS = ";\t,"


@dataclass(frozen=True)
class RosterLine:
    """A person of the file: the line's number, its entry, and the code of its first fault."""

    number: int
    entry: StaffEntry
    fault: str = ""


def parse_roster(text: str, by: User | None, topics: Collection[str]) -> list[RosterLine]:
    """Return the people in a file; their accounts are not created.

    The first line of `text` names some of COLUMNS in any order, at least REQUIRED_COLUMNS.
    Separators are commas, semicolons or tabs; several languages or topics are separated by blanks.
    `topics` are the valid codes of topics. A line's fault is a code of `staff.validate_entry`, or
    "topics" for an unknown topic, "twice" for the login or extension of an earlier line, "fields"
    for more fields than columns. Raises Refused with the code "columns" if the first line or the
    format is invalid, "empty" if there are no people, or "many" for more than MAX_PEOPLE.
    """
    text = text.removeprefix(spreadsheets.BYTE_ORDER_MARK).strip("\r\n")
    head = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    names = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    if set(REQUIRED_COLUMNS) - set(names) or set(names) - set(COLUMNS):
        raise Refused("columns", f"the first line names columns: {', '.join(COLUMNS)}")
    rows.fieldnames = names
    try:
        numbered_rows = [(rows.line_num, row) for row in rows if any(_row_texts(row))]
    except csv.Error as error:
        raise Refused("columns", str(error)) from error
    if not numbered_rows:
        raise Refused("empty", "there is nobody in the file")
    if len(numbered_rows) > MAX_PEOPLE:
        raise Refused("many", f"more than {MAX_PEOPLE} people")
    return list(_checked_lines(numbered_rows, by, topics))


def format_roster(users: Collection[User]) -> str:
    """Return the text of a file with these people that `parse_roster` accepts."""
    codes = dict(Membership.select(Membership.user, Department.code).join(Department).tuples())
    rows = (
        (
            *(user.login, user.name, user.name_cyrl, user.role, user.speaks),
            NO_TOPIC if user.topics == "" else user.topics or "",
            *(user.extension or "", codes.get(user.id, "")),
        )
        for user in users
    )
    return spreadsheets.BYTE_ORDER_MARK + spreadsheets.csv_text([COLUMNS, *rows])


def _checked_lines(
    rows: list[tuple[int, dict[str, str]]], by: User | None, topics: Collection[str]
) -> Iterator[RosterLine]:
    """The lines of the file, each with its first fault."""
    departments = _department_ids()
    logins, extensions = set[str](), set[str]()
    for number, row in rows:
        if None in row:  # more fields than columns
            yield RosterLine(number, StaffEntry("", " ".join(_row_texts(row)), ""), "fields")
            continue
        entry, fault = _parse_entry(row, departments, topics)
        try:
            staff.validate_entry(entry, by)
        except Refused as error:
            fault = fault or error.code
        if entry.login in logins or (entry.extension and entry.extension in extensions):
            fault = "twice"
        logins.add(entry.login)
        extensions.add(entry.extension)
        yield RosterLine(number, entry, fault)


def _parse_entry(
    row: dict[str, str], departments: dict[str, int], topics: Collection[str]
) -> tuple[StaffEntry, str]:
    """Return the entry of a line, and "department" or "topics" if that does not exist; or ""."""
    fields = {
        name: spreadsheets.unescape_formulas((row.get(name) or "").strip()) for name in COLUMNS
    }
    topic_codes = fields["topics"].replace(",", " ").split()
    topics_served = (
        None if not topic_codes else tuple(code for code in topic_codes if code != NO_TOPIC)
    )
    department = departments.get(fold_text(fields["department"])) if fields["department"] else None
    fault = "department" if fields["department"] and not department else ""
    if set(topics_served or ()) - set(topics):
        fault = "topics"
    entry = StaffEntry(
        login=fields["login"],
        name=fields["name"],
        name_cyrl=fields["name_cyrl"],
        role=fields["role"].lower(),
        speaks=tuple(fields["languages"].lower().replace(",", " ").split()),
        topics=topics_served,
        extension=fields["extension"],
        department=department,
    )
    return staff.normalise_entry(entry), fault


def _department_ids() -> dict[str, int]:
    """Return the ids of the active departments, by their folded code and by each folded name."""
    id_by_name = {}
    for department in Department.select().where(Department.active):
        for name in (
            department.code,
            department.name_uz_latn,
            department.name_uz_cyrl,
            department.name_ru,
        ):
            id_by_name[fold_text(name)] = department.id
    return id_by_name


def _row_texts(row: dict[str, str]) -> list[str]:
    """The texts of a row that are not empty."""
    return [text for text in row.values() if isinstance(text, str) and text.strip()]
