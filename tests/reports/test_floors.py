"""The statements by which the benches know what a report must cost, and the history they ask."""

from functools import partial
from pathlib import Path

import pytest

from appliance.core import db
from appliance.models import Call, FollowUp
from appliance.people import accounts
from appliance.reports import capacity, files, tariffs
from appliance.reports.periods import Period
from appliance.telephony import calls, followups
from tests.rig.bench import floors, growth, history
from tests.rig.once import filled_once


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """Where the database is kept that has the history."""
    return tmp_path_factory.mktemp("history") / "site.db"


@pytest.fixture(scope="module")
def periods() -> list[Period]:
    """That of the history, once it is there."""
    return []


@pytest.fixture
def told(site, kept, periods) -> Period:
    """The period of a history whose second half is a copy of the demo's."""
    filled_once(kept, lambda: periods.append(fill(site)))
    return periods[0]


def fill(site) -> Period:
    for number in range(3):
        phone = {"extension": str(1001 + number), "speaks": ("uz", "ru")}
        accounts.add(f"op{number}", f"Operator {number}", "operator", "parol-parol", **phone)
    tariffs.add("inbound", "minute", 15_000, growth.MONTH.first.replace(year=2020), by="x")
    return history.fill(site, 560, 20, growth.LAST)


def test_a_copied_history_is_whole(told) -> None:
    assert (told.last - told.first).days == 27
    assert not db.faults()
    assert not db.database.execute_sql("PRAGMA foreign_key_check").fetchall()
    balance = calls.balance(told.begin, told.end)
    assert (balance.difference, balance.arrivals) == (0, 560)
    assert Call.select(Call.caller).distinct().count() > 200
    before = FollowUp.select().count()
    followups.rebuild()
    assert FollowUp.select().count() == before


@pytest.mark.parametrize("name", floors.FLOORS)
def test_a_floor_gives_the_figures_of_its_report(site, told, name) -> None:
    level = site.calls.service_level
    build = partial(files.build, name, site, told, "ru")
    if name == "capacity":
        build = partial(capacity.count, told, level)
    floors.check(name, build(), db.database.connection(), floors.given(told, level))


def test_a_floor_of_other_figures_is_found_out(site, told) -> None:
    report = files.build("minutes", site, told, "ru")
    asked = floors.given(told, site.calls.service_level)
    with pytest.raises(AssertionError, match="minutes, lines"):
        floors.check("minutes", report, db.database.connection(), asked | {"begin": asked["end"]})
