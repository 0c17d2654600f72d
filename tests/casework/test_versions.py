"""Versions that the ministry approves: who may what in which state, and what is in force when."""

import datetime as dt

import pytest
from peewee import CharField, ForeignKeyField

from appliance.casework import versions
from appliance.casework.versions import VersionError
from appliance.core import clock, db
from appliance.core.tables import Table
from appliance.models import AuditEntry
from appliance.models.versions import Version


class Sheet(Table):
    name = CharField()


class SheetVersion(Version):
    thing = "sheet"

    sheet = ForeignKeyField(Sheet, on_delete="RESTRICT")
    text = CharField(default="")


@pytest.fixture
def sheet(settings) -> Sheet:
    """Something that has versions."""
    db.database.create_tables([Sheet, SheetVersion])
    return Sheet.create(name="A")


@pytest.fixture
def after(monkeypatch):
    """Let so many hours pass."""
    began = clock.now()

    def after(hours: int) -> dt.datetime:
        now = began + dt.timedelta(hours=hours)
        monkeypatch.setattr(clock, "now", lambda: now)
        return now

    return after


def fresh(row: SheetVersion) -> SheetVersion:
    return SheetVersion.get_by_id(row.id)


def step(action, row, user, words="", since=None, seen=None) -> SheetVersion:
    now = fresh(row)
    return versions.do(action, now, user, seen or now.revision, "sheet", "A", words, since)


def written(sheet, author, text="Matn") -> SheetVersion:
    return versions.begin(SheetVersion, sheet, author, None, text=text)


def approved(sheet, author, ministry) -> SheetVersion:
    row = written(sheet, author)
    step("send", row, author)
    return step("approve", row, ministry)


def holds(sheet) -> int | None:
    found = versions.in_force(versions.of(SheetVersion, sheet))
    by_query = [
        row.number
        for row in SheetVersion.select().where(
            SheetVersion.sheet == sheet, versions.holding(SheetVersion)
        )
    ]
    assert by_query == ([found.number] if found else [])
    return found.number if found else None


def test_a_version_is_written_approved_put_in_force_and_retired(sheet, sherzod, bahodir, after):
    row = written(sheet, sherzod)
    assert versions.possible(row, "manager") == ("send",)
    step("send", row, sherzod)
    assert versions.possible(fresh(row), "ministry") == ("approve", "return")
    assert step("approve", row, bahodir).decided_by == bahodir.login
    assert holds(sheet) is None
    step("put", row, sherzod)
    assert holds(sheet) == 1
    after(1)
    step("retire", row, sherzod)
    assert (holds(sheet), versions.standing(fresh(row))) == (None, "retired")
    told = [entry.action for entry in AuditEntry.select().order_by(AuditEntry.id)]
    assert told[-4:] == ["sheet.send", "sheet.approve", "sheet.put", "sheet.retire"]


def test_the_ministry_returns_it_with_words_and_it_is_written_again(sheet, sherzod, bahodir):
    row = written(sheet, sherzod)
    step("send", row, sherzod)
    with pytest.raises(VersionError, match="words"):
        step("return", row, bahodir, " ")
    step("return", row, bahodir, "Manbasi yoʻq")
    now = fresh(row)
    assert (versions.standing(now), now.words) == ("returned", "Manbasi yoʻq")
    versions.write(now, sherzod, now.revision, text="Manbasi bilan")
    assert fresh(row).text == "Manbasi bilan"
    assert step("send", row, sherzod).state == "sent"


def test_what_is_with_the_ministry_is_not_written(sheet, sherzod, bahodir):
    row = written(sheet, sherzod)
    sent = step("send", row, sherzod)
    with pytest.raises(VersionError, match="changed"):
        versions.write(sent, sherzod, sent.revision, text="Boshqa")
    back = step("take_back", row, sherzod)
    versions.write(back, sherzod, back.revision, text="Boshqa")
    assert fresh(row).text == "Boshqa"


def test_of_two_who_saw_the_same_one_succeeds(sheet, sherzod):
    row = written(sheet, sherzod)
    versions.write(row, sherzod, 1, text="Birinchi")
    with pytest.raises(VersionError, match="changed"):
        versions.write(row, sherzod, 1, text="Ikkinchi")
    with pytest.raises(VersionError, match="changed"):
        step("send", row, sherzod, seen=1)
    assert fresh(row).text == "Birinchi"


@pytest.mark.parametrize("action", versions.MOVES)
def test_each_step_is_for_its_roles_only(sheet, sherzod, bahodir, dilnoza, action):
    row = written(sheet, sherzod)
    for user in {sherzod, bahodir, dilnoza}:
        if user.role not in versions.MOVES[action].roles:
            with pytest.raises(VersionError, match="action"):
                step(action, row, user, "Matn")
    with pytest.raises(VersionError, match="action"):
        written(sheet, dilnoza)
    assert fresh(row).state == "draft"


def test_a_planned_version_ends_the_one_before_it_at_its_moment(sheet, sherzod, bahodir, after):
    first = approved(sheet, sherzod, bahodir)
    step("put", first, sherzod)
    second = approved(sheet, sherzod, bahodir)
    with pytest.raises(VersionError, match="past"):
        step("put", second, sherzod, since=clock.now())
    step("put", second, sherzod, since=clock.now() + dt.timedelta(hours=5))
    assert (holds(sheet), versions.standing(fresh(second))) == (1, "planned")
    with pytest.raises(VersionError, match="pending"):
        written(sheet, sherzod)
    after(6)
    assert (holds(sheet), versions.standing(fresh(first))) == (2, "retired")


def test_a_planned_version_that_is_withdrawn_leaves_the_one_before_in_force(
    sheet, sherzod, bahodir, after
):
    first = approved(sheet, sherzod, bahodir)
    step("put", first, sherzod)
    second = approved(sheet, sherzod, bahodir)
    step("put", second, sherzod, since=clock.now() + dt.timedelta(hours=5))
    assert step("withdraw", second, sherzod).state == "approved"
    after(6)
    assert holds(sheet) == 1


def test_only_a_draft_is_thrown_away(sheet, sherzod, bahodir):
    row = written(sheet, sherzod)
    versions.discard(row, sherzod, row.revision)
    assert versions.of(SheetVersion, sheet) == []
    kept = approved(sheet, sherzod, bahodir)
    with pytest.raises(VersionError, match="changed"):
        versions.discard(kept, sherzod, kept.revision)
    assert versions.of(SheetVersion, sheet) == [kept]
