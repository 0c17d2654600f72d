"""Templates of short messages: what may stand in them, how they are filled, kept and approved."""

import dataclasses

import pytest

from appliance.core.settings import SmsAccount
from appliance.messaging.notices import templates, texts
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
def test_a_text_that_no_template_can_have(settings, uz: str, code: str) -> None:
    with pytest.raises(texts.TextError) as error:
        templates.save(settings, dataclasses.replace(ADDRESS, uz=uz), "sherzod")
    assert error.value.code == code
    assert not SmsTemplate.select().exists()


def test_a_name_is_needed_and_is_one_templates_alone(settings) -> None:
    one = templates.save(settings, ADDRESS, "sherzod")
    for typed in (dataclasses.replace(ADDRESS, name=" "), ADDRESS):
        with pytest.raises(texts.TextError, match="name"):
            templates.save(settings, typed, "sherzod")
    assert templates.save(settings, ADDRESS, "sherzod", one).id == one.id


def test_they_stand_in_their_order_and_retired_ones_last_and_not_offered(settings) -> None:
    for name, position in (("b", 2), ("c", 3), ("a", 1)):
        templates.save(settings, Template(name, "Salom", "Привет", position), "sherzod")
    first = templates.templates()[0]
    templates.save(settings, Template("a", "Salom", "Привет", 1, False), "sherzod", first)
    assert [one.name for one in templates.templates()] == ["b", "c"]
    assert [one.name for one in templates.templates(retired=True)] == ["b", "c", "a"]
    told = [row.action for row in AuditEntry.select().where(AuditEntry.action ** "template.%")]
    assert told == ["template.add"] * 3 + ["template.change"]


def test_what_is_known_is_filled_in_and_the_rest_stays(settings) -> None:
    text = "{name}: {number}, {due} {other}"
    filled = templates.filled(text, {"name": "Gʻani {number}", "number": "2026-000001", "due": ""})
    assert filled == "G'ani {number}: 2026-000001, {due} {other}"
    assert templates.unfilled(filled) == ["number", "due"]


def test_a_sample_is_filled_whole_in_both_languages(settings) -> None:
    text = " ".join(f"{{{name}}}" for name in templates.PLACEHOLDERS)
    for language, place in (("uz", "Samarqand"), ("ru", "Самарканд")):
        sample = templates.sample(settings, language, text)
        assert place in sample
        assert "{" not in sample


def test_a_service_approves_a_template_until_its_text_changes(settings) -> None:
    account = SmsAccount("strict", "playmobile", "http://127.0.0.1:9", approval=True)
    site = dataclasses.replace(settings, sms=(account,))
    one = templates.save(site, ADDRESS, "sherzod")
    purpose = templates.purpose(one.id)

    def taken(text: str) -> bool:
        payload = {"template": text, "text_of": purpose, "language": "ru"}
        return rules.may_take(account, Message(purpose="manual", payload=payload))

    assert not taken(one.ru)
    assert rules.note(site, "strict", purpose, "ru", "approved", "sherzod")
    assert taken(one.ru)
    assert not taken("Другой текст")
    assert not rules.may_take(account, Message(purpose="manual", payload={}))
    states = {(a.purpose, a.language): a.state for a in rules.approvals(site)}
    assert (states[purpose, "ru"], states[purpose, "uz"]) == ("approved", "")
    templates.save(site, dataclasses.replace(ADDRESS, ru="Иначе"), "sherzod", one)
    states = {(a.purpose, a.language): a.state for a in rules.approvals(site)}
    assert states[purpose, "ru"] == ""
    assert not rules.note(site, "strict", "template-99", "ru", "approved", "sherzod")


def test_the_price_is_that_of_the_first_account_that_takes_the_text(settings) -> None:
    strict = SmsAccount("strict", "playmobile", "http://x", approval=True, price=5000)
    free = SmsAccount("free", "eskiz", "http://x", price=9550)
    site = dataclasses.replace(settings, sms=(strict, free))
    assert rules.price(site, 2) == 19100
    one = templates.save(site, ADDRESS, "sherzod")
    rules.note(site, "strict", templates.purpose(one.id), "uz", "approved", "sherzod")
    payload = {"template": one.uz, "text_of": templates.purpose(one.id), "language": "uz"}
    assert rules.price(site, 2, payload) == 10000
    assert rules.price(dataclasses.replace(settings, sms=(strict,)), 1) is None
    unknown = dataclasses.replace(free, price=0)
    assert rules.price(dataclasses.replace(settings, sms=(unknown,)), 1) is None
