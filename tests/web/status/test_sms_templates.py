"""The manager's page of templates: added, changed, retired; a refused form keeps its values."""

import pytest

from appliance.messaging.notices import templates
from tests.rig.browser import Browser

TEMPLATE_FIELDS = {
    "name": "Manzil",
    "uz": "{name}: Navoiy 12",
    "ru": "{name}: Навои 12",
    "position": "1",
}


@pytest.fixture
def browser(login_as) -> Browser:
    """The browser of Sherzod, the manager."""
    return login_as("manager")


def test_template_can_be_added_changed_and_retired(browser) -> None:
    assert browser.send("/notices/templates", **TEMPLATE_FIELDS).status_code == 302
    [template] = templates.list_templates()
    page = browser.get("/notices/templates").text
    assert "{name}: Navoiy 12" in page
    template_url = f"/notices/templates/{template.id}"
    assert "Гульчехра Юлдашева: Навои 12" in browser.get(template_url).text
    changed = TEMPLATE_FIELDS | {"uz": "Navoiy 14", "active": "1"}
    assert browser.send(template_url, **changed).status_code == 302
    assert [row.uz for row in templates.list_templates()] == ["Navoiy 14"]
    # the box is no longer ticked
    assert browser.send(template_url, **TEMPLATE_FIELDS).status_code == 302
    assert templates.list_templates() == []
    assert f'href="{template_url}"' in browser.get("/notices/templates").text
    assert browser.get("/notices/templates/99").status_code == 404


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("name", "", "Boshqa shablonda yoʻq nom yozing."),
        ("ru", "{фамилия} здесь", "Qavs ichida faqat roʻyxatdagi soʻzlar turishi mumkin."),
    ],
)
def test_invalid_template_is_reported_and_typed_values_are_kept(
    browser, field, typed, message
) -> None:
    page = browser.refused_page(
        browser.send("/notices/templates", **TEMPLATE_FIELDS | {field: typed})
    )
    assert message in page
    assert TEMPLATE_FIELDS["uz"] in page
    assert templates.list_templates() == []


def test_preview_shows_the_message_in_its_sent_form(browser) -> None:
    def preview(text: str, language: str = "uz") -> dict[str, str]:
        answer = browser.post(
            "/notices/templates/preview",
            json={"language": language, "text": text},
            headers={"X-CSRFToken": browser.token()},
        )
        assert answer.status_code == 200
        return answer.json

    assert preview("{name}!") == {
        "sample": "Gulchehra Yo'ldosheva!",
        "size": "1 ta SMS",
        "trouble": "",
    }
    assert preview("я" * 71)["size"] == "2 ta SMS"
    assert "Qavs" in preview("{nom} bor")["trouble"]
    assert preview(" ")["trouble"] == ""
