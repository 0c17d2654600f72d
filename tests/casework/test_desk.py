"""Queries for an operator's current call use an index and never read all their past calls."""

import pytest

from appliance.casework.appeals import desk, queries
from appliance.casework.forms import drafts
from appliance.core import clock
from appliance.core.statements import create_row, find_row
from appliance.models import Applicant, QueueVisit, Ring
from appliance.people import presence
from appliance.telephony import calls
from tests.casework.test_handling import query_plan_of
from tests.rig.appeals import create_call, start_talk

pytestmark = pytest.mark.usefixtures("settings")

# plan steps that read all rows of an operator's past, or a whole table
LONG_WALKS = (
    *("ring_operator_started_at (operator=?)", "appeal_operator_id_registered_at (operator_id=?)"),
    *("callform_operator_id (operator_id=?)", "call_of_ours (by=?)"),
)


def test_no_query_about_the_current_call_reads_the_operators_past(nilufar):
    call = create_call()
    start_talk(nilufar, call)
    visit = QueueVisit.create(call=call, position=1, queue="main", joined_at=call.arrived_at)
    Ring.create(visit=visit, operator=nilufar.login, extension="1", started_at=call.arrived_at)
    token = drafts.token_for(nilufar, call)

    def query_everything() -> None:
        assert desk.current_desk(nilufar, clock.now()).call == call
        assert drafts.call_of_token(nilufar, token) == call
        calls.unanswered_call_back(nilufar.login, clock.now())
        presence.state_of(nilufar)

    plan = query_plan_of(query_everything)
    assert any("ring" in step for step in plan)
    assert not [step for step in plan if step.endswith(LONG_WALKS)]
    assert not [step for step in plan if step.startswith("SCAN") and "json_each" not in step]


def test_the_figures_of_the_day_do_not_read_the_past_either(nilufar):
    plan = query_plan_of(lambda: queries.count_registered_since(nilufar, clock.now()))
    index_use = "appeal_operator_id_registered_at (operator_id=? AND registered_at>?)"
    assert [step for step in plan if step.endswith(index_use)]


def test_a_ring_of_another_operator_gives_no_access_to_the_call(nilufar, sardor):
    call = create_call()
    visit = QueueVisit.create(call=call, position=1, queue="main", joined_at=call.arrived_at)
    Ring.create(visit=visit, operator=sardor.login, extension="1", started_at=call.arrived_at)
    assert drafts.call_of_token(sardor, f"{call.id}-{sardor.id}-0") == call
    assert drafts.call_of_token(nilufar, f"{call.id}-{nilufar.id}-0") is None


def test_a_row_from_a_prepared_statement_equals_one_from_peewee(nilufar):
    values = {"kind": "person", "surname": "Karimova", "search_key": "k", "created_at": clock.now()}
    prepared, ordinary = create_row(Applicant, **values), Applicant.create(**values)
    assert prepared.id != ordinary.id
    assert not prepared.dirty_fields
    stored = [
        Applicant.get_by_id(applicant.id).__data__ | {"id": 0} for applicant in (prepared, ordinary)
    ]
    assert stored[0] == stored[1]
    assert prepared.__data__ | {"id": 0} == ordinary.__data__ | {"id": 0}
    assert find_row(Applicant, id=prepared.id, surname="Karimova") == prepared
    assert find_row(Applicant, id=prepared.id, surname="Karimov") is None
