"""People as a CSV file has them: read, doubted line by line, written."""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from appliance.core import spreadsheets
from appliance.core.i18n import fold
from appliance.models import Department, Membership, User
from appliance.people import staff
from appliance.people.accounts import StaffError
from appliance.people.staff import Entry

COLUMNS = (
    *("login", "name", "name_cyrl", "role", "languages", "topics", "extension", "department"),
)
NEEDED = ("login", "name", "role")
NO_TOPIC = "-"  # an empty field is every topic
MOST = 300  # people of one file
_SEPARATORS = ";\t,"


@dataclass(frozen=True)
class Line:
    """A person of the file: the line's number, what it holds, and the code of its first fault."""

    number: int
    entry: Entry
    fault: str = ""


def read(text: str, by: User | None, topics: Collection[str]) -> list[Line]:
    """The people of a file, none of whom is made yet.

    `text` begins with a line that names COLUMNS, in any order, those of NEEDED at least; separated
    by commas, semicolons or tabs. Several languages or topics stand behind each other, with blanks.
    `topics`: codes that a topic may have. A fault is a code of `staff.prove`, "topics", or "twice"
    for a login or extension that an earlier line has. Raises StaffError: "columns", "empty",
    "many".
    """
    text = text.removeprefix(spreadsheets.MARK).strip("\r\n")
    head = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    names = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    if set(NEEDED) - set(names) or set(names) - set(COLUMNS):
        raise StaffError("columns", f"the first line names columns: {', '.join(COLUMNS)}")
    rows.fieldnames = names
    try:
        read = [(rows.line_num, row) for row in rows if any(_texts(row))]
    except csv.Error as error:
        raise StaffError("columns", str(error)) from error
    if not read:
        raise StaffError("empty", "there is nobody in the file")
    if len(read) > MOST:
        raise StaffError("many", f"more than {MOST} people")
    return list(_doubted(read, by, topics))


def written(users: Collection[User]) -> str:
    """The people as a file that `read` understands."""
    codes = dict(Membership.select(Membership.user, Department.code).join(Department).tuples())
    rows = (
        (
            *(u.login, u.name, u.name_cyrl, u.role, u.speaks),
            NO_TOPIC if u.topics == "" else u.topics or "",
            *(u.extension or "", codes.get(u.id, "")),
        )
        for u in users
    )
    return spreadsheets.MARK + spreadsheets.written([COLUMNS, *rows])


def _doubted(
    rows: list[tuple[int, dict[str, str]]], by: User | None, topics: Collection[str]
) -> Iterator[Line]:
    departments = _departments()
    logins, extensions = set[str](), set[str]()
    for number, row in rows:
        if None in row:  # more fields than columns
            yield Line(number, Entry("", " ".join(_texts(row)), ""), "fields")
            continue
        entry, fault = _entry(row, departments, topics)
        try:
            staff.prove(entry, by)
        except StaffError as error:
            fault = fault or error.code
        if entry.login in logins or (entry.extension and entry.extension in extensions):
            fault = "twice"
        logins.add(entry.login)
        extensions.add(entry.extension)
        yield Line(number, entry, fault)


def _entry(
    row: dict[str, str], departments: dict[str, int], topics: Collection[str]
) -> tuple[Entry, str]:
    """What a line holds, and the code of what cannot be told of it."""
    field = {name: spreadsheets.typed((row.get(name) or "").strip()) for name in COLUMNS}
    chosen = field["topics"].replace(",", " ").split()
    served = None if not chosen else tuple(code for code in chosen if code != NO_TOPIC)
    department = departments.get(fold(field["department"])) if field["department"] else None
    fault = "department" if field["department"] and not department else ""
    if set(served or ()) - set(topics):
        fault = "topics"
    entry = Entry(
        login=field["login"],
        name=field["name"],
        name_cyrl=field["name_cyrl"],
        role=field["role"].lower(),
        speaks=tuple(field["languages"].lower().replace(",", " ").split()),
        topics=served,
        extension=field["extension"],
        department=department,
    )
    return staff.cleaned(entry), fault


def _departments() -> dict[str, int]:
    """Code or name as one searches it → the department in use."""
    found = {}
    for one in Department.select().where(Department.active):
        for name in (one.code, one.name_uz_latn, one.name_uz_cyrl, one.name_ru):
            found[fold(name)] = one.id
    return found


def _texts(row: dict[str, str]) -> list[str]:
    return [text for text in row.values() if isinstance(text, str) and text.strip()]
