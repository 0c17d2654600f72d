"""The telephony pages: faults next to their fields, saving, versions, restoring a version."""

import dataclasses

import pytest

from appliance.core.settings import Settings
from appliance.models import RefusedForm
from appliance.pbx import config
from appliance.telephony import routing
from appliance.web.settings import routing_labels


@pytest.fixture
def accept_every_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept every plan that passes the checks: tests/pbx try plans on a real Asterisk."""
    monkeypatch.setattr(config, "verify_configuration", lambda settings, plan=None: None)


def section_fields(settings: Settings, section: str, **changed: str) -> dict[str, str]:
    newest = routing.newest_version()
    fields = routing.section_fields(routing.current_plan(settings), section)
    return (
        {n: v for n, v in fields.items() if v}
        | {"seen": str(newest.id) if newest else "", "confirmed": "1"}
        | changed
    )


def test_every_section_can_be_opened(login_as) -> None:
    browser = login_as("manager")
    for section in routing.SECTIONS:
        page = browser.get(f"/telephony/{section}")
        assert page.status_code == 200, section
        assert page.text.count("<h1") == 1
    assert browser.get("/telephony/lost").status_code == 404
    assert browser.get("/telephony/versions").status_code == 200


@pytest.mark.parametrize("part", [part for parts in routing.SECTIONS.values() for part in parts])
def test_every_field_has_a_label(part: str) -> None:
    assert part in routing_labels.PARTS
    fields = {f"{part}.{column}" if column else part for column in routing.part_fields(part)}
    assert fields <= set(routing_labels.FIELDS)


def test_fault_is_shown_next_to_its_field_and_typed_values_are_kept(
    login_as, settings: Settings
) -> None:
    fields = section_fields(settings, "trunks", note="why not", **{"trunks.7.name": "Second!"})
    browser = login_as("technician")
    page = browser.refused_page(browser.send("/telephony/trunks", **fields))
    assert 'id="trunks.1.name-w"' in page
    assert 'value="Second!"' in page
    assert 'value="why not"' in page
    assert routing.newest_version() is None


def test_form_with_a_new_password_is_answered_directly_and_not_stored(
    login_as, settings: Settings
) -> None:
    secret = {"trunks.7.name": "second!", "trunks.7.user": "u", "trunks.7.password": "maxfiy-soz"}
    answer = login_as("technician").send(
        "/telephony/trunks", **section_fields(settings, "trunks", **secret)
    )
    assert answer.status_code == 422
    assert 'value="second!"' in answer.text
    assert not RefusedForm.select().exists()


def test_plan_is_not_saved_without_an_exchange_to_try_it(login_as, settings: Settings) -> None:
    browser = login_as("manager")
    page = browser.refused_page(
        browser.send("/telephony/limits", **section_fields(settings, "limits"))
    )
    assert "/usr/sbin/asterisk" in page
    assert routing.newest_version() is None


@pytest.mark.usefixtures("accept_every_plan")
def test_change_is_saved_listed_and_restored(login_as, settings: Settings) -> None:
    browser = login_as("manager")
    first = routing.current_plan(settings)
    for calls, note in (("10", "ten"), ("20", "twenty")):
        fields = section_fields(settings, "limits", note=note) | {"limits.calls": calls}
        assert browser.send("/telephony/limits", **fields).status_code == 302
    assert routing.current_plan(settings) == dataclasses.replace(
        first, limits=routing.Limits(calls=20)
    )
    newest = routing.newest_version()
    assert newest
    listed = browser.get("/telephony/versions").text
    assert listed.index("twenty") < listed.index("ten</td>")
    older = browser.get(f"/telephony/versions/{newest.id - 1}").text
    assert "<td>20</td><td>10</td>" in older
    assert browser.send(f"/telephony/versions/{newest.id - 1}").status_code == 302
    assert routing.current_plan(settings).limits.calls == 10
    assert routing.newest_version().id == newest.id + 1


@pytest.mark.usefixtures("accept_every_plan")
def test_outdated_form_is_reported_and_typed_values_are_kept(login_as, settings: Settings) -> None:
    fields = section_fields(settings, "limits") | {"limits.calls": "77"}
    routing.save_plan(routing.current_plan(settings), "dilnoza", "meanwhile")
    browser = login_as("manager")
    page = browser.refused_page(browser.send("/telephony/limits", **fields))
    assert "dilnoza" in page
    assert 'value="77"' in page
    assert routing.newest_version().note == "meanwhile"


@pytest.mark.usefixtures("accept_every_plan")
def test_changes_are_shown_before_they_are_in_force(login_as, settings: Settings) -> None:
    browser = login_as("manager")
    fields = section_fields(settings, "topics", note="menu") | {
        "topics.0.keys": "1",
        "topics.0.uz": "Pensiya",
        "topics.0.ru": "Пенсии",
        "topics.0.action": "queue",
    }
    del fields["confirmed"]
    page = browser.refused_page(browser.send("/telephony/topics", **fields))
    assert routing.newest_version() is None
    assert "<td>–</td><td>Pensiya</td>" in page
    assert "Пенсии: нажмите один." in page  # the text that callers will be played
    form_page = browser.refused_page(browser.send("/telephony/topics", **fields, edit="1"))
    assert 'value="Pensiya"' in form_page
    assert 'value="menu"' in form_page
    assert browser.send("/telephony/topics", **fields, confirmed="1").status_code == 302
    assert routing.current_plan(settings).topics[0].uz == "Pensiya"
    wrong = fields | {"seen": str(routing.newest_version().id), "topics.0.keys": "x"}
    assert 'id="topics.0.keys-w"' in browser.refused_page(
        browser.send("/telephony/topics", **wrong)
    )


@pytest.mark.usefixtures("accept_every_plan")
def test_versions_show_their_changes_and_the_first_can_be_restored(
    login_as, settings: Settings
) -> None:
    browser = login_as("manager")
    first = routing.current_plan(settings)
    browser.send("/telephony/limits", **section_fields(settings, "limits") | {"limits.calls": "10"})
    rows = browser.get("/telephony/versions").text.split("<tbody>")[1].split("</tr>")
    assert "Barcha liniyalardagi qoʻngʻiroqlar: 0" in rows[0]
    assert "tizim sozlamalari" in rows[1]
    oldest = routing.list_versions()[-1]
    assert browser.send(f"/telephony/versions/{oldest.id}").status_code == 302
    assert routing.current_plan(settings) == first
    page = browser.get(f"/telephony/versions/{routing.newest_version().id - 1}").text
    assert "<td>0</td><td>10</td>" in page


def test_queues_page_lists_every_queue(login_as, settings: Settings) -> None:
    topic = routing.Topic("1", "Ish", "Работа", "jobs", "own_queue")
    routing.save_plan(
        dataclasses.replace(routing.current_plan(settings), topics=(topic,)), "sherzod"
    )
    page = login_as("manager").get("/telephony/queues").text
    for name in ("Oʻzbekcha", "Oʻzbekcha, jobs", "Istalgan operator"):
        assert f'<th scope="row">{name}</th>' in page
    assert 'href="/telephony/topics"' in page
