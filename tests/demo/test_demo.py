"""The synthetic history: all kinds of calls, a balance of 0, plausible people."""

import datetime as dt
from itertools import pairwise

import pytest
from click.testing import CliRunner, Result

from appliance.casework import call_forms
from appliance.cli import appliance
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.demo import DemoError, history_rows, load_history, loading
from appliance.demo.world import SiteProfile, load_site_profile
from appliance.models import (
    TABLES,
    Appeal,
    Call,
    CallForm,
    CallNumberSeries,
    EventRow,
    NumberSeries,
    Presence,
    Talk,
)
from appliance.telephony import calls, routing
from appliance.telephony.calls import INBOUND_CODES

# they span a quarter's end and a weekend
FIRST_DAY, LAST_DAY = (
    dt.date(2026, 9, 28),
    dt.date(2026, 10, 4),
)


@pytest.fixture
def world(settings: Settings) -> SiteProfile:
    return load_site_profile(settings, FIRST_DAY, LAST_DAY)


@pytest.fixture
def loaded(world: SiteProfile) -> SiteProfile:
    load_history(world, 2000, seed=3)
    return world


def test_every_call_has_its_outcome_and_the_balance_is_0(loaded) -> None:
    balance = calls.ledger_balance(loaded.begin, loaded.end)
    assert (balance.arrivals, balance.difference, balance.open) == (2000, 0, 0)
    assert set(balance.outcomes) == set(INBOUND_CODES)
    assert balance.recordings_expected == balance.recordings_found > 500
    assert balance.recordings_short == 0
    assert len(calls.ledger_balance(loaded.begin, loaded.end).unobserved) == 0
    assert Appeal.select().count() == NumberSeries.get().last


def test_most_answered_calls_are_on_form_2_and_every_one_with_an_appeal(loaded) -> None:
    answered = Call.select().where(
        Call.outcome == "answered", Call.direction != "internal", ~Call.synthetic
    )
    on_form = CallForm.select(CallForm.call_id)
    assert 0.87 < answered.where(Call.id.in_(on_form)).count() / answered.count() < 0.93
    assert on_form.count() == answered.where(Call.id.in_(on_form)).count()
    appeals = {appeal.number: appeal for appeal in Appeal.select()}
    linked = list(CallForm.select().where(CallForm.appeal_number != ""))
    assert {form.appeal_number for form in linked} == set(appeals)
    for form in linked:
        appeal = appeals[form.appeal_number]
        assert (form.call_id, form.operator_id) == (appeal.call_id, appeal.operator_id)
        assert (form.region_id, form.direction) == (appeal.region_id, appeal.direction)
    assert CallForm.select().count() == CallNumberSeries.get().last
    silent = CallForm.select().where(CallForm.call_type.in_(call_forms.EMPTY_CALL_TYPES))
    assert 0 < silent.where(CallForm.gist == "").count() == silent.count()


def test_operators_talk_to_one_caller_at_a_time_and_only_when_ready(loaded) -> None:
    for operator in loaded.operators:
        talks = list(
            Talk.select().join(Call).where(Talk.who == operator.login).order_by(Talk.started_at)
        )
        assert len(talks) > 300
        assert all(a.ended_at <= b.started_at for a, b in pairwise(talks))
        first_of_call = [talk for talk in talks if talk.position == 0]
        for talk in first_of_call[::20]:
            state = (
                Presence.select(Presence.state)
                .where(
                    Presence.user == operator.id,
                    Presence.since <= talk.started_at - dt.timedelta(seconds=9),
                )
                .order_by(Presence.since.desc())
                .limit(1)
                .scalar()
            )
            assert state == "ready"


def test_calls_at_the_edges_of_days_are_included(loaded) -> None:
    quarter = loaded.utc_time(dt.date(2026, 10, 1))
    assert Call.select().where(Call.arrived_at == quarter).exists()
    assert Call.select().where(Call.arrived_at < quarter, Call.ended_at > quarter).exists()
    assert not Call.select().where(Call.arrived_at < loaded.begin).exists()
    assert not Call.select().where(Call.arrived_at >= loaded.end).exists()


def test_the_same_seed_gives_the_same_history(world) -> None:
    first, again, other = (list(history_rows(world, 200, seed)) for seed in (5, 5, 6))
    assert first == again != other


def test_a_history_is_not_loaded_over_another(loaded) -> None:
    with pytest.raises(DemoError, match="already"):
        load_history(loaded, 10, seed=4)


def run_demo_load(settings: Settings, first: object, last: object, calls: int = 10) -> Result:
    """Run `appliance demo load` and return its result."""
    days = ("--calls", str(calls), "--from", str(first), "--to", str(last))
    return CliRunner().invoke(appliance, ["--config", str(settings.file), "demo", "load", *days])


def table_contents() -> dict[str, int]:
    """Return the number of rows of each table, and for number series the last number of each."""
    counts = {table._meta.name: table.select().count() for table in TABLES}
    return counts | {
        table._meta.name: sum(line.last for line in table.select())
        for table in (NumberSeries, CallNumberSeries)
    }


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"ended_at": clock.now()}, "this site has 1 calls of its own"),
        ({"ended_at": None}, "a call is going on"),
        ({"ended_at": None, "synthetic": True}, "a call is going on"),
    ],
    ids=["a real call", "a live call", "a live test call"],
)
def test_a_site_with_calls_is_refused(
    settings: Settings, facts: dict[str, object], message: str
) -> None:
    Call.create(
        id="hotline-1.1", arrived_at=clock.now(), stage="menu", direction="inbound", **facts
    )
    before = table_contents()
    refused = run_demo_load(settings, FIRST_DAY, LAST_DAY)
    assert (refused.exit_code, type(refused.exception)) == (1, SystemExit)
    assert message in refused.output
    assert table_contents() == before


def test_a_finished_test_call_does_not_prevent_loading(settings: Settings) -> None:
    now = clock.now()
    Call.create(
        id="hotline-1.1",
        arrived_at=now,
        ended_at=now,
        stage="ended",
        direction="inbound",
        synthetic=True,
    )
    assert run_demo_load(settings, FIRST_DAY, LAST_DAY).exit_code == 0


def test_a_load_that_fails_leaves_nothing_behind(
    settings: Settings, world: SiteProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault comes late, when all appeals have their numbers: another row has the same name."""
    monkeypatch.setattr(loading, "CALLS_PER_BATCH", 100)
    last = [batch for batch in history_rows(world, 600, 1) if Call in batch][-1]
    row = next(row for row in last[EventRow] if row["event"] == "CHAN_START")
    EventRow.create(**row)
    before = table_contents()
    failed = run_demo_load(settings, FIRST_DAY, LAST_DAY, 600)
    assert (failed.exit_code, type(failed.exception)) == (1, SystemExit)
    assert "nothing is loaded" in failed.output
    assert table_contents() == before
    EventRow.delete().execute()
    assert run_demo_load(settings, FIRST_DAY, LAST_DAY, 600).exit_code == 0
    assert Appeal.select().count() == NumberSeries.get().last > 0


def test_the_command_refuses_days_that_have_not_ended(settings: Settings) -> None:
    late = run_demo_load(settings, "2026-01-01", "2099-01-01")
    assert late.exit_code == 2
    assert "before today" in late.output
    done = run_demo_load(settings, "2026-01-01", "2026-01-02")
    assert done.exit_code == 0, done.output
    assert "call: 1" in done.output


def test_the_trunks_are_those_of_the_plan_in_force(settings) -> None:
    lines = (
        routing.Trunk("uztelecom", address="192.0.2.7"),
        routing.Trunk("stream", kind="e1", spans="1-15,17-31"),
    )
    routing.save_plan(routing.Plan(trunks=lines, queueing=routing.Queueing(max_wait=120)), "rustam")
    synthetic_world = load_site_profile(settings, FIRST_DAY, LAST_DAY)
    assert synthetic_world.trunks == (("uztelecom", "sip"), ("stream", "e1"))
    assert synthetic_world.max_wait == 120
