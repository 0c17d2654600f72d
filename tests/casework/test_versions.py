"""Versions that the ministry approves: steps permitted per state and role, the version in force."""

import datetime as dt

import pytest
from peewee import CharField, ForeignKeyField

from appliance.casework import versions
from appliance.core import clock, db
from appliance.core.refusals import Refused
from appliance.core.tables import Table
from appliance.models import AuditEntry
from appliance.models.versions import Version


class Sheet(Table):
    name = CharField()


class SheetVersion(Version):
    owner_column = "sheet"

    sheet = ForeignKeyField(Sheet, on_delete="RESTRICT")
    text = CharField(default="")


@pytest.fixture
def sheet(settings) -> Sheet:
    """A record that has versions."""
    db.database.create_tables([Sheet, SheetVersion])
    return Sheet.create(name="A")


@pytest.fixture
def advance_hours(monkeypatch):
    """Set the clock to the given number of hours after the start of the test."""
    began = clock.now()

    def advance_hours(hours: int) -> dt.datetime:
        now = began + dt.timedelta(hours=hours)
        monkeypatch.setattr(clock, "now", lambda: now)
        return now

    return advance_hours


def reload_version(row: SheetVersion) -> SheetVersion:
    return SheetVersion.get_by_id(row.id)


def perform_step(action, row, user, words="", since=None, seen_revision=None) -> SheetVersion:
    now = reload_version(row)
    return versions.perform_version_action(
        action,
        now,
        user,
        expected_revision=seen_revision or now.revision,
        noun="sheet",
        ref="A",
        remark=words,
        since=since,
    )


def write_version(sheet, author, text="Matn") -> SheetVersion:
    return versions.create_draft(SheetVersion, sheet, author, None, text=text)


def create_approved_version(sheet, author, ministry) -> SheetVersion:
    row = write_version(sheet, author)
    perform_step("send", row, author)
    return perform_step("approve", row, ministry)


def number_in_force(sheet) -> int | None:
    version = versions.find_in_force(versions.list_versions(SheetVersion, sheet))
    by_query = [
        row.number
        for row in SheetVersion.select().where(
            SheetVersion.sheet == sheet, versions.in_force_condition(SheetVersion)
        )
    ]
    assert by_query == ([version.number] if version else [])
    return version.number if version else None


def test_a_version_is_written_approved_put_in_force_and_retired(
    sheet, sherzod, bahodir, advance_hours
):
    row = write_version(sheet, sherzod)
    assert versions.allowed_actions(row, "manager") == ("send",)
    perform_step("send", row, sherzod)
    assert versions.allowed_actions(reload_version(row), "ministry") == ("approve", "return")
    assert perform_step("approve", row, bahodir).decided_by == bahodir.login
    assert number_in_force(sheet) is None
    perform_step("put", row, sherzod)
    assert number_in_force(sheet) == 1
    advance_hours(1)
    perform_step("retire", row, sherzod)
    assert (number_in_force(sheet), versions.version_status(reload_version(row))) == (
        None,
        "retired",
    )
    actions = [entry.action for entry in AuditEntry.select().order_by(AuditEntry.id)]
    assert actions[-4:] == ["sheet.send", "sheet.approve", "sheet.put", "sheet.retire"]


def test_a_version_returned_with_a_comment_can_be_rewritten(sheet, sherzod, bahodir):
    row = write_version(sheet, sherzod)
    perform_step("send", row, sherzod)
    with pytest.raises(Refused, match="words"):
        perform_step("return", row, bahodir, " ")
    perform_step("return", row, bahodir, "Manbasi yoʻq")
    now = reload_version(row)
    assert (versions.version_status(now), now.words) == ("returned", "Manbasi yoʻq")
    versions.edit_draft(now, sherzod, now.revision, text="Manbasi bilan")
    assert reload_version(row).text == "Manbasi bilan"
    assert perform_step("send", row, sherzod).state == "sent"


def test_a_version_sent_to_the_ministry_cannot_be_edited(sheet, sherzod, bahodir):
    row = write_version(sheet, sherzod)
    sent = perform_step("send", row, sherzod)
    with pytest.raises(Refused, match="changed"):
        versions.edit_draft(sent, sherzod, sent.revision, text="Boshqa")
    draft = perform_step("take_back", row, sherzod)
    versions.edit_draft(draft, sherzod, draft.revision, text="Boshqa")
    assert reload_version(row).text == "Boshqa"


def test_of_two_edits_of_the_same_revision_one_succeeds(sheet, sherzod):
    row = write_version(sheet, sherzod)
    versions.edit_draft(row, sherzod, 1, text="Birinchi")
    with pytest.raises(Refused, match="changed"):
        versions.edit_draft(row, sherzod, 1, text="Ikkinchi")
    with pytest.raises(Refused, match="changed"):
        perform_step("send", row, sherzod, seen_revision=1)
    assert reload_version(row).text == "Birinchi"


# The steps and statuses are listed here, not read from the product's own table. Of each status:
# the state in the database, and the hours from now at which it begins and ends.
STATUSES = {
    "draft": ("draft", None, None),
    "sent": ("sent", None, None),
    "returned": ("returned", None, None),
    "approved": ("approved", None, None),
    "planned": ("put", 1, None),
    "in_force": ("put", -1, None),
    "retired": ("put", -2, -1),
}
# action: who may take it, the statuses in which it is possible, the status to which it leads
STEPS = {
    "send": ("sherzod", ("draft", "returned"), "sent"),
    "take_back": ("sherzod", ("sent",), "draft"),
    "approve": ("bahodir", ("sent",), "approved"),
    "return": ("bahodir", ("sent",), "returned"),
    "put": ("sherzod", ("approved",), "in_force"),
    "withdraw": ("sherzod", ("planned",), "approved"),
    "retire": ("sherzod", ("in_force",), "retired"),
}


def test_the_workflow_has_exactly_the_known_steps_and_statuses():
    assert tuple(versions.WORKFLOW.moves) == tuple(STEPS)
    assert versions.WORKFLOW.state_codes == tuple(STATUSES)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("action", STEPS)
def test_each_step_is_permitted_only_to_its_role_in_its_statuses(
    sheet, sherzod, bahodir, dilnoza, action, status
):
    row = write_version(sheet, sherzod)
    state, *hours = STATUSES[status]
    since, until = (h and clock.now() + dt.timedelta(hours=h) for h in hours)
    columns = {"state": state, "since": since, "until": until}
    SheetVersion.update(columns).where(SheetVersion.id == row.id).execute()
    permitted_login, possible_statuses, next_status = STEPS[action]
    is_possible = status in possible_statuses
    for user in (dilnoza, sherzod, bahodir):
        may_act = user.login == permitted_login
        offered = versions.allowed_actions(reload_version(row), user.role)
        assert (action in offered) == (may_act and is_possible)
        if not (may_act and is_possible):
            with pytest.raises(Refused, match="changed" if may_act else "action"):
                perform_step(action, row, user, "Matn")
            assert versions.version_status(reload_version(row)) == status
    if is_possible:
        actor = {"sherzod": sherzod, "bahodir": bahodir}[permitted_login]
        perform_step(action, row, actor, "Matn")
        assert versions.version_status(reload_version(row)) == next_status


def test_only_a_writer_begins_a_version(sheet, sherzod, dilnoza):
    write_version(sheet, sherzod)
    with pytest.raises(Refused, match="action"):
        write_version(sheet, dilnoza)


def test_a_planned_version_replaces_the_previous_one_at_its_time(
    sheet, sherzod, bahodir, advance_hours
):
    first = create_approved_version(sheet, sherzod, bahodir)
    perform_step("put", first, sherzod)
    second = create_approved_version(sheet, sherzod, bahodir)
    with pytest.raises(Refused, match="past"):
        perform_step("put", second, sherzod, since=clock.now())
    perform_step("put", second, sherzod, since=clock.now() + dt.timedelta(hours=5))
    assert (number_in_force(sheet), versions.version_status(reload_version(second))) == (
        1,
        "planned",
    )
    with pytest.raises(Refused, match="pending"):
        write_version(sheet, sherzod)
    advance_hours(6)
    assert (number_in_force(sheet), versions.version_status(reload_version(first))) == (
        2,
        "retired",
    )


def test_withdrawing_a_planned_version_leaves_the_previous_one_in_force(
    sheet, sherzod, bahodir, advance_hours
):
    first = create_approved_version(sheet, sherzod, bahodir)
    perform_step("put", first, sherzod)
    second = create_approved_version(sheet, sherzod, bahodir)
    perform_step("put", second, sherzod, since=clock.now() + dt.timedelta(hours=5))
    assert perform_step("withdraw", second, sherzod).state == "approved"
    advance_hours(6)
    assert number_in_force(sheet) == 1


def test_only_a_draft_can_be_discarded(sheet, sherzod, bahodir):
    row = write_version(sheet, sherzod)
    versions.discard_version(row, sherzod, row.revision)
    assert versions.list_versions(SheetVersion, sheet) == []
    approved_version = create_approved_version(sheet, sherzod, bahodir)
    with pytest.raises(Refused, match="changed"):
        versions.discard_version(approved_version, sherzod, approved_version.revision)
    assert versions.list_versions(SheetVersion, sheet) == [approved_version]
