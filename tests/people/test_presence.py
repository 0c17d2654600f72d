"""The states that operators chose."""

from appliance.people import accounts, presence


def test_who_is_taken_on_meanwhile_has_chosen_nothing(nilufar, monkeypatch) -> None:
    """Between the question for states and that for operators, as another process does it."""
    presence.choose_state(nilufar, "ready")
    operators = presence.operators

    def later() -> list:
        accounts.add("zuhra", "Zuhra", "operator", "secret", extension="1009", speaks=("uz",))
        return operators()

    monkeypatch.setattr(presence, "operators", later)
    found = {user.login: chosen for user, chosen in presence.in_force()}
    assert found["nilufar"].state == "ready"
    assert found["zuhra"] is None
    monkeypatch.undo()
    assert presence.states()["zuhra"] == "off"
