"""Templates of short messages: valid texts, filling, storing, and approval by services."""

import dataclasses

import pytest

from appliance.core.refusals import Refused
from appliance.core.settings import SmsAccount
from appliance.messaging.notices import templates
from appliance.messaging.notices.templates import Template
from appliance.messaging.sms import rules
from appliance.models import AuditEntry, Message, SmsTemplate

ADDRESS = Template(
    "Manzil", "{name}, {region}: Navoiy koʻchasi 12", "{name}, {region}: Навои, 12", 2
)


@pytest.mark.parametrize(
    ("uz", "code"),
    [
        (" ", "empty"),
        ("{name}", "empty"),
        ("{name", "braces"),
        ("Salom {surname}", "unknown"),
        ("Salom {name.__class__}", "unknown"),
        ("я" * 268 + " {number}", "long"),
    ],
)
def test_an_invalid_template_text_is_refused(settings, uz: str, code: str) -> None:
    with pytest.raises(Refused) as error:
        templates.save_template(settings, dataclasses.replace(ADDRESS, uz=uz), "sherzod")
    assert error.value.code == code
    assert not SmsTemplate.select().exists()


def test_a_template_needs_a_unique_name(settings) -> None:
    template = templates.save_template(settings, ADDRESS, "sherzod")
    for typed in (dataclasses.replace(ADDRESS, name=" "), ADDRESS):
        with pytest.raises(Refused, match="name"):
            templates.save_template(settings, typed, "sherzod")
    assert templates.save_template(settings, ADDRESS, "sherzod", template).id == template.id


def test_templates_are_ordered_and_retired_ones_are_last_and_not_offered(settings) -> None:
    for name, position in (("b", 2), ("c", 3), ("a", 1)):
        templates.save_template(settings, Template(name, "Salom", "Привет", position), "sherzod")
    first = templates.list_templates()[0]
    templates.save_template(settings, Template("a", "Salom", "Привет", 1, False), "sherzod", first)
    assert [template.name for template in templates.list_templates()] == ["b", "c"]
    assert [template.name for template in templates.list_templates(with_retired=True)] == [
        "b",
        "c",
        "a",
    ]
    actions = [row.action for row in AuditEntry.select().where(AuditEntry.action ** "template.%")]
    assert actions == ["template.add"] * 3 + ["template.change"]


def test_known_placeholders_are_filled_and_the_rest_stays(settings) -> None:
    text = "{name}: {number}, {due} {other}"
    filled = templates.fill_known(
        text, {"name": "Gʻani {number}", "number": "2026-000001", "due": ""}
    )
    assert filled == "G'ani {number}: 2026-000001, {due} {other}"
    assert templates.unfilled_placeholders(filled) == ["number", "due"]


def test_a_sample_is_filled_completely_in_both_languages(settings) -> None:
    text = " ".join(f"{{{name}}}" for name in templates.PLACEHOLDERS)
    for language, place in (("uz", "Samarqand"), ("ru", "Самарканд")):
        sample = templates.sample_text(settings, language, text)
        assert place in sample
        assert "{" not in sample


def test_a_service_approves_a_template_until_its_text_changes(settings) -> None:
    account = SmsAccount("strict", "playmobile", "http://127.0.0.1:9", approval=True)
    site = dataclasses.replace(settings, sms=(account,))
    template = templates.save_template(site, ADDRESS, "sherzod")
    purpose = templates.approval_purpose(template.id)

    def may_send(text: str) -> bool:
        payload = {"template": text, "text_of": purpose, "language": "ru"}
        return rules.accepts_message(account, Message(purpose="manual", payload=payload))

    assert not may_send(template.ru)
    assert rules.record_approval(site, "strict", purpose, "ru", "approved", "sherzod")
    assert may_send(template.ru)
    assert not may_send("Другой текст")
    assert not rules.accepts_message(account, Message(purpose="manual", payload={}))
    states = {(a.purpose, a.language): a.state for a in rules.list_approvals(site)}
    assert (states[purpose, "ru"], states[purpose, "uz"]) == ("approved", "")
    templates.save_template(site, dataclasses.replace(ADDRESS, ru="Иначе"), "sherzod", template)
    states = {(a.purpose, a.language): a.state for a in rules.list_approvals(site)}
    assert states[purpose, "ru"] == ""
    assert not rules.record_approval(site, "strict", "template-99", "ru", "approved", "sherzod")


def test_the_price_is_that_of_the_first_account_that_accepts_the_text(settings) -> None:
    strict = SmsAccount("strict", "playmobile", "http://x", approval=True, price=5000)
    free = SmsAccount("free", "eskiz", "http://x", price=9550)
    site = dataclasses.replace(settings, sms=(strict, free))
    assert rules.manual_message_price(site, 2) == 19100
    template = templates.save_template(site, ADDRESS, "sherzod")
    rules.record_approval(
        site, "strict", templates.approval_purpose(template.id), "uz", "approved", "sherzod"
    )
    payload = {
        "template": template.uz,
        "text_of": templates.approval_purpose(template.id),
        "language": "uz",
    }
    assert rules.manual_message_price(site, 2, payload) == 10000
    assert rules.manual_message_price(dataclasses.replace(settings, sms=(strict,)), 1) is None
    unknown = dataclasses.replace(free, price=0)
    assert rules.manual_message_price(dataclasses.replace(settings, sms=(unknown,)), 1) is None
