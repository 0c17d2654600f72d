"""The telephony's page: faults beside their fields, saving, versions, putting one back."""

import dataclasses

import pytest

from appliance import plan
from appliance.pbx import config
from appliance.settings import Settings
from appliance.web import plan_words


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever passes the checks is taken: tests/pbx try plans on a real Asterisk."""
    monkeypatch.setattr(config, "try_out", lambda settings, wanted=None: None)


def typed(settings: Settings, section: str, **changed: str) -> dict[str, str]:
    newest = plan.newest()
    fields = plan.shown(plan.current(settings), section)
    return (
        {n: v for n, v in fields.items() if v}
        | {"seen": str(newest.id) if newest else ""}
        | changed
    )


def test_every_section_opens(login_as) -> None:
    browser = login_as("manager")
    assert browser.get("/telephony").location == "/telephony/trunks"
    for section in plan.SECTIONS:
        page = browser.get(f"/telephony/{section}")
        assert page.status_code == 200, section
        assert page.text.count("<h1") == 1
    assert browser.get("/telephony/lost").status_code == 404
    assert browser.get("/telephony/versions").status_code == 200


@pytest.mark.parametrize("part", [part for parts in plan.SECTIONS.values() for part in parts])
def test_every_field_has_a_name(part: str) -> None:
    assert part in plan_words.PARTS
    fields = {f"{part}.{column}" if column else part for column in plan.columns(part)}
    assert fields <= set(plan_words.FIELDS)


def test_a_fault_stands_beside_its_field_and_nothing_typed_is_lost(
    login_as, settings: Settings
) -> None:
    fields = typed(settings, "trunks", note="why not", **{"trunks.7.name": "Second!"})
    answer = login_as("technician").send("/telephony/trunks", **fields)
    assert answer.status_code == 422
    assert 'id="trunks.1.name-w"' in answer.text
    assert 'value="Second!"' in answer.text
    assert 'value="why not"' in answer.text
    assert plan.newest() is None


def test_a_plan_without_an_exchange_to_try_it_changes_nothing(login_as, settings: Settings) -> None:
    answer = login_as("manager").send("/telephony/limits", **typed(settings, "limits"))
    assert answer.status_code == 422
    assert "/usr/sbin/asterisk" in answer.text
    assert plan.newest() is None


@pytest.mark.usefixtures("taken")
def test_a_change_is_saved_told_and_put_back(login_as, settings: Settings) -> None:
    browser = login_as("manager")
    first = plan.current(settings)
    for calls, note in (("10", "ten"), ("20", "twenty")):
        fields = typed(settings, "limits", note=note) | {"limits.calls": calls}
        assert browser.send("/telephony/limits", **fields).status_code == 302
    assert plan.current(settings) == dataclasses.replace(first, limits=plan.Limits(calls=20))
    newest = plan.newest()
    assert newest
    listed = browser.get("/telephony/versions").text
    assert listed.index("twenty") < listed.index("ten</td>")
    older = browser.get(f"/telephony/versions/{newest.id - 1}").text
    assert "<td>20</td><td>10</td>" in older
    assert browser.send(f"/telephony/versions/{newest.id - 1}").status_code == 302
    assert plan.current(settings).limits.calls == 10
    assert plan.newest().id == newest.id + 1


@pytest.mark.usefixtures("taken")
def test_who_was_overtaken_is_told_and_keeps_what_he_typed(login_as, settings: Settings) -> None:
    fields = typed(settings, "limits") | {"limits.calls": "77"}
    plan.save(plan.current(settings), "dilnoza", "meanwhile")
    answer = login_as("manager").send("/telephony/limits", **fields)
    assert answer.status_code == 409
    assert "dilnoza" in answer.text
    assert 'value="77"' in answer.text
    assert plan.newest().note == "meanwhile"
