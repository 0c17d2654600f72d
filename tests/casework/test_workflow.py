"""Workflows: which actions are possible in a state, and for which role."""

import pytest

from appliance.casework.workflow import Move, State, Workflow

DOOR = Workflow(
    (State("open", "Open"), State("shut", "Shut", is_open=False), State("walled", "Walled up")),
    {
        "close": Move(("open",), "shut"),
        "open": Move(("shut",), "open", roles=("guard", "owner")),
        "paint": Move(("open", "shut"), None, roles=("owner",), needs_text=True),
    },
)


@pytest.mark.parametrize(
    ("state", "role", "actions"),
    [
        ("open", "guard", ("close",)),
        ("open", "owner", ("close", "paint")),
        ("open", "", ("close",)),
        ("shut", "guard", ("open",)),
        ("shut", "owner", ("open", "paint")),
        ("shut", "visitor", ()),
        ("walled", "owner", ()),
        ("unknown", "owner", ()),
    ],
)
def test_the_actions_depend_on_state_and_role(state, role, actions):
    assert DOOR.possible_actions(state, role) == actions


def test_a_move_is_returned_only_to_a_role_that_may_make_it():
    assert DOOR.permitted_move("close", "visitor") == Move(("open",), "shut")
    assert DOOR.permitted_move("open", "guard").to_state == "open"
    assert DOOR.permitted_move("open", "visitor") is None
    assert DOOR.permitted_move("burn", "owner") is None


def test_states_are_listed_in_order():
    assert DOOR.state_codes == ("open", "shut", "walled")
    assert DOOR.open_state_codes == ("open", "walled")
    assert DOOR.states_by_code["shut"].name == "Shut"
