"""What is asked of an operator's call at hand is found by that call, however many he had before."""

import pytest

from appliance.casework import appeals
from appliance.core import clock
from appliance.core.statements import new_row, row_with
from appliance.models import Applicant, QueueVisit, Ring
from appliance.people import presence
from appliance.telephony import calls
from tests.casework.test_appeals import a_call, speaks
from tests.casework.test_handling import plan_of

pytestmark = pytest.mark.usefixtures("settings")

# what leads to all that an operator ever had, or to a whole table
WALKS = (
    *("ring_operator_started_at (operator=?)", "appeal_operator_id_registered_at (operator_id=?)"),
    *("callform_operator_id (operator_id=?)", "call_of_ours (by=?)"),
)


def test_no_question_about_the_call_at_hand_walks_the_past(nilufar):
    call = a_call()
    speaks(nilufar, call)
    visit = QueueVisit.create(call=call, position=1, queue="main", joined_at=call.arrived_at)
    Ring.create(visit=visit, operator=nilufar.login, extension="1", started_at=call.arrived_at)
    token = appeals.token_for(nilufar, call)

    def everything() -> None:
        assert appeals.at_hand(nilufar, clock.now()).call == call
        assert appeals.call_of(nilufar, token) == call
        calls.called_in_vain(nilufar.login, clock.now())
        presence.state_of(nilufar)

    plan = plan_of(everything)
    assert any("ring" in step for step in plan)
    assert not [step for step in plan if step.endswith(WALKS)]
    assert not [step for step in plan if step.startswith("SCAN") and "json_each" not in step]


def test_the_days_figures_do_not_walk_it_either(nilufar):
    plan = plan_of(lambda: appeals.registered_by(nilufar, clock.now()))
    found = "appeal_operator_id_registered_at (operator_id=? AND registered_at>?)"
    assert [step for step in plan if step.endswith(found)]


def test_a_ring_of_another_operator_makes_no_call_ones_own(nilufar, sardor):
    call = a_call()
    visit = QueueVisit.create(call=call, position=1, queue="main", joined_at=call.arrived_at)
    Ring.create(visit=visit, operator=sardor.login, extension="1", started_at=call.arrived_at)
    assert appeals.call_of(sardor, f"{call.id}-{sardor.id}-0") == call
    assert appeals.call_of(nilufar, f"{call.id}-{nilufar.id}-0") is None


def test_a_row_by_a_prepared_statement_is_as_another(nilufar):
    told = {"kind": "person", "surname": "Karimova", "search_key": "k", "created_at": clock.now()}
    made, other = new_row(Applicant, **told), Applicant.create(**told)
    assert made.id != other.id
    assert not made.dirty_fields
    kept = [Applicant.get_by_id(one.id).__data__ | {"id": 0} for one in (made, other)]
    assert kept[0] == kept[1]
    assert made.__data__ | {"id": 0} == other.__data__ | {"id": 0}
    assert row_with(Applicant, id=made.id, surname="Karimova") == made
    assert row_with(Applicant, id=made.id, surname="Karimov") is None
