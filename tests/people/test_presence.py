"""The states that operators chose."""

from appliance.people import accounts, presence


def test_an_operator_added_during_the_query_has_no_state(nilufar, monkeypatch) -> None:
    """Another process adds the account between the queries for states and for operators."""
    presence.choose_state(nilufar, "ready")
    operators = presence.active_operators

    def operators_with_addition() -> list:
        accounts.create_account(
            "zuhra", "Zuhra", "operator", "secret", extension="1009", speaks=("uz",)
        )
        return operators()

    monkeypatch.setattr(presence, "active_operators", operators_with_addition)
    states = {user.login: state for user, state in presence.current_states()}
    assert states["nilufar"].state == "ready"
    assert states["zuhra"] is None
    monkeypatch.undo()
    assert presence.states_by_login()["zuhra"] == "off"
