"""The manager's page of templates: added, changed, retired, refused with what was typed."""

import pytest

from appliance.messaging.notices import templates
from tests.rig.browser import Browser

TYPED = {"name": "Manzil", "uz": "{name}: Navoiy 12", "ru": "{name}: Навои 12", "position": "1"}


@pytest.fixture
def browser(login_as) -> Browser:
    """Sherzod's, the manager's."""
    return login_as("manager")


def test_a_template_is_added_changed_and_retired(browser) -> None:
    assert browser.send("/notices/templates", **TYPED).status_code == 302
    [one] = templates.templates()
    page = browser.get("/notices/templates").text
    assert "{name}: Navoiy 12" in page
    there = f"/notices/templates/{one.id}"
    assert "Гульчехра Юлдашева: Навои 12" in browser.get(there).text
    changed = TYPED | {"uz": "Navoiy 14", "active": "1"}
    assert browser.send(there, **changed).status_code == 302
    assert [row.uz for row in templates.templates()] == ["Navoiy 14"]
    assert browser.send(there, **TYPED).status_code == 302  # not ticked any more
    assert templates.templates() == []
    assert f'href="{there}"' in browser.get("/notices/templates").text
    assert browser.get("/notices/templates/99").status_code == 404


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", "Boshqa shablonda yoʻq nom yozing."),
        ("ru", "{фамилия} здесь", "Qavs ichida faqat roʻyxatdagi soʻzlar turishi mumkin."),
    ],
)
def test_what_cannot_be_is_said_and_nothing_typed_is_lost(browser, field, typed, said) -> None:
    page = browser.refused(browser.send("/notices/templates", **TYPED | {field: typed}))
    assert said in page
    assert TYPED["uz"] in page
    assert templates.templates() == []


def test_a_text_is_shown_as_it_goes_out_while_it_is_written(browser) -> None:
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
