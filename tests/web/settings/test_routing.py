"""The telephony's page: faults beside their fields, saving, versions, putting one back."""

import dataclasses

import pytest

from appliance.core.settings import Settings
from appliance.models import RefusedForm
from appliance.pbx import config
from appliance.telephony import routing
from appliance.web.settings import routing_words


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever passes the checks is taken: tests/pbx try plans on a real Asterisk."""
    monkeypatch.setattr(config, "try_out", lambda settings, wanted=None: None)


def typed(settings: Settings, section: str, **changed: str) -> dict[str, str]:
    newest = routing.newest()
    fields = routing.shown(routing.current(settings), section)
    return (
        {n: v for n, v in fields.items() if v}
        | {"seen": str(newest.id) if newest else "", "confirmed": "1"}
        | changed
    )


def test_every_section_opens(login_as) -> None:
    browser = login_as("manager")
    for section in routing.SECTIONS:
        page = browser.get(f"/telephony/{section}")
        assert page.status_code == 200, section
        assert page.text.count("<h1") == 1
    assert browser.get("/telephony/lost").status_code == 404
    assert browser.get("/telephony/versions").status_code == 200


@pytest.mark.parametrize("part", [part for parts in routing.SECTIONS.values() for part in parts])
def test_every_field_has_a_name(part: str) -> None:
    assert part in routing_words.PARTS
    fields = {f"{part}.{column}" if column else part for column in routing.columns(part)}
    assert fields <= set(routing_words.FIELDS)


def test_a_fault_stands_beside_its_field_and_nothing_typed_is_lost(
    login_as, settings: Settings
) -> None:
    fields = typed(settings, "trunks", note="why not", **{"trunks.7.name": "Second!"})
    browser = login_as("technician")
    page = browser.refused(browser.send("/telephony/trunks", **fields))
    assert 'id="trunks.1.name-w"' in page
    assert 'value="Second!"' in page
    assert 'value="why not"' in page
    assert routing.newest() is None


def test_a_new_password_is_kept_nowhere_and_the_form_is_answered_at_once(
    login_as, settings: Settings
) -> None:
    secret = {"trunks.7.name": "second!", "trunks.7.user": "u", "trunks.7.password": "maxfiy-soz"}
    answer = login_as("technician").send("/telephony/trunks", **typed(settings, "trunks", **secret))
    assert answer.status_code == 422
    assert 'value="second!"' in answer.text
    assert not RefusedForm.select().exists()


def test_a_plan_without_an_exchange_to_try_it_changes_nothing(login_as, settings: Settings) -> None:
    browser = login_as("manager")
    page = browser.refused(browser.send("/telephony/limits", **typed(settings, "limits")))
    assert "/usr/sbin/asterisk" in page
    assert routing.newest() is None


@pytest.mark.usefixtures("taken")
def test_a_change_is_saved_told_and_put_back(login_as, settings: Settings) -> None:
    browser = login_as("manager")
    first = routing.current(settings)
    for calls, note in (("10", "ten"), ("20", "twenty")):
        fields = typed(settings, "limits", note=note) | {"limits.calls": calls}
        assert browser.send("/telephony/limits", **fields).status_code == 302
    assert routing.current(settings) == dataclasses.replace(first, limits=routing.Limits(calls=20))
    newest = routing.newest()
    assert newest
    listed = browser.get("/telephony/versions").text
    assert listed.index("twenty") < listed.index("ten</td>")
    older = browser.get(f"/telephony/versions/{newest.id - 1}").text
    assert "<td>20</td><td>10</td>" in older
    assert browser.send(f"/telephony/versions/{newest.id - 1}").status_code == 302
    assert routing.current(settings).limits.calls == 10
    assert routing.newest().id == newest.id + 1


@pytest.mark.usefixtures("taken")
def test_who_was_overtaken_is_told_and_keeps_what_he_typed(login_as, settings: Settings) -> None:
    fields = typed(settings, "limits") | {"limits.calls": "77"}
    routing.save(routing.current(settings), "dilnoza", "meanwhile")
    browser = login_as("manager")
    page = browser.refused(browser.send("/telephony/limits", **fields))
    assert "dilnoza" in page
    assert 'value="77"' in page
    assert routing.newest().note == "meanwhile"


@pytest.mark.usefixtures("taken")
def test_what_changes_is_shown_before_it_is_in_force(login_as, settings: Settings) -> None:
    browser = login_as("manager")
    fields = typed(settings, "topics", note="menu") | {
        "topics.0.keys": "1",
        "topics.0.uz": "Pensiya",
        "topics.0.ru": "Пенсии",
        "topics.0.action": "queue",
    }
    del fields["confirmed"]
    page = browser.refused(browser.send("/telephony/topics", **fields))
    assert routing.newest() is None
    assert "<td>–</td><td>Pensiya</td>" in page
    assert "Пенсии: нажмите один." in page  # what callers will hear
    back = browser.refused(browser.send("/telephony/topics", **fields, edit="1"))
    assert 'value="Pensiya"' in back
    assert 'value="menu"' in back
    assert browser.send("/telephony/topics", **fields, confirmed="1").status_code == 302
    assert routing.current(settings).topics[0].uz == "Pensiya"
    wrong = fields | {"seen": str(routing.newest().id), "topics.0.keys": "x"}
    assert 'id="topics.0.keys-w"' in browser.refused(browser.send("/telephony/topics", **wrong))


@pytest.mark.usefixtures("taken")
def test_the_version_before_the_first_change_and_what_each_changed(
    login_as, settings: Settings
) -> None:
    browser = login_as("manager")
    first = routing.current(settings)
    browser.send("/telephony/limits", **typed(settings, "limits") | {"limits.calls": "10"})
    rows = browser.get("/telephony/versions").text.split("<tbody>")[1].split("</tr>")
    assert "Barcha liniyalardagi qoʻngʻiroqlar: 0" in rows[0]
    assert "tizim sozlamalari" in rows[1]
    oldest = routing.versions()[-1]
    assert browser.send(f"/telephony/versions/{oldest.id}").status_code == 302
    assert routing.current(settings) == first
    page = browser.get(f"/telephony/versions/{routing.newest().id - 1}").text
    assert "<td>0</td><td>10</td>" in page


def test_queues_say_what_they_are_made_of(login_as, settings: Settings) -> None:
    topic = routing.Topic("1", "Ish", "Работа", "jobs", "own_queue")
    routing.save(dataclasses.replace(routing.current(settings), topics=(topic,)), "sherzod")
    page = login_as("manager").get("/telephony/queues").text
    for name in ("Oʻzbekcha", "Oʻzbekcha, jobs", "Istalgan operator"):
        assert f'<th scope="row">{name}</th>' in page
    assert 'href="/telephony/topics"' in page
