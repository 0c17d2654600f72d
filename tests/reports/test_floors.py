"""The statements that give the benches a report's minimum cost, and the history they query."""

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
from tests.rig.once import fill_once


@pytest.fixture(scope="module")
def database_file(tmp_path_factory) -> Path:
    """The file of the database with the history."""
    return tmp_path_factory.mktemp("history") / "site.db"


@pytest.fixture(scope="module")
def periods() -> list[Period]:
    """A list with the period of the history, once it is loaded."""
    return []


@pytest.fixture
def history_period(site, database_file, periods) -> Period:
    """The period of a history whose second half is a copy of the demo's."""
    fill_once(database_file, lambda: periods.append(fill_history(site)))
    return periods[0]


def fill_history(site) -> Period:
    for number in range(3):
        phone = {"extension": str(1001 + number), "speaks": ("uz", "ru")}
        accounts.create_account(
            f"op{number}", f"Operator {number}", "operator", "parol-parol", **phone
        )
    tariffs.add_tariff("inbound", "minute", 15_000, growth.MONTH.first.replace(year=2020), by="x")
    return history.fill_history(site, 560, 20, growth.LAST_DAY)


def test_a_copied_history_is_complete(history_period) -> None:
    assert (history_period.last - history_period.first).days == 27
    assert not db.integrity_errors()
    assert not db.database.execute_sql("PRAGMA foreign_key_check").fetchall()
    balance = calls.ledger_balance(history_period.begin, history_period.end)
    assert (balance.difference, balance.arrivals) == (0, 560)
    assert Call.select(Call.caller).distinct().count() > 200
    before = FollowUp.select().count()
    followups.rebuild_tasks()
    assert FollowUp.select().count() == before


@pytest.mark.parametrize("name", floors.FLOOR_TABLES)
def test_a_floor_has_the_figures_of_its_report(site, history_period, name) -> None:
    level = site.calls.service_level
    build = partial(files.build_report, name, site, history_period, "ru")
    if name == "capacity":
        build = partial(capacity.forecast_capacity, history_period, level)
    floors.check_figures(
        name, build(), db.database.connection(), floors.statement_parameters(history_period, level)
    )


def test_a_floor_with_other_figures_is_detected(site, history_period) -> None:
    report = files.build_report("minutes", site, history_period, "ru")
    parameters = floors.statement_parameters(history_period, site.calls.service_level)
    with pytest.raises(AssertionError, match="minutes, lines"):
        floors.check_figures(
            "minutes", report, db.database.connection(), parameters | {"begin": parameters["end"]}
        )
