"""Messages on hold after a restore: what the services report about them, and how the hold ends."""

import datetime as dt
from collections.abc import Iterator

import pytest

from appliance.box import health
from appliance.core import audit, clock, outbox
from appliance.core.delivery import DeliveryError
from appliance.messaging.sms import lookups
from appliance.messaging.sms.gateway import Sending
from appliance.messaging.sms.providers.eskiz import Eskiz
from appliance.messaging.sms.providers.playmobile import PlayMobile
from appliance.messaging.sms.providers.smpp import Smpp
from appliance.messaging.sms.sender import SmsSender
from appliance.models import AuditEntry, HeldMessage, Message
from tests.rig.fakes.message_centre import run_message_centre
from tests.rig.fakes.sms import SmsService, run_sms_service

NUMBER = "+998935550147"


@pytest.fixture
def fake_service() -> Iterator[SmsService]:
    with run_sms_service() as running:
        yield running


def eskiz_gateway(far: SmsService) -> Eskiz:
    return Eskiz("eskiz", far.url, "u", "p")


def playmobile_gateway(far: SmsService) -> PlayMobile:
    return PlayMobile("playmobile", far.url, "u", "p", "3700")


def build_sending(text: str, key: str = "m1", receipt: str = "") -> Sending:
    return Sending(NUMBER, text, key, receipt, clock.now())


def create_held_message(settings, text: str, key: str) -> Message:
    """A message that a restore has put on hold."""
    message = outbox.queue_sms("registered", NUMBER, text, key=key, tz=settings.tz)
    HeldMessage.create(message=message, held_at=clock.now())
    Message.update(state="held").where(Message.id == message.id).execute()
    return Message.get_by_id(message.id)


def test_eskiz_finds_a_message_by_its_id_or_by_number_and_text(fake_service) -> None:
    gateway = eskiz_gateway(fake_service)
    receipt = gateway.send(NUMBER, "Murojaat 1", "m1").id
    assert gateway.look_up(build_sending("Murojaat 1")) == "taken"
    fake_service.states["id-1"] = "DELIVRD"
    assert gateway.look_up(build_sending("Murojaat  1")) == "delivered"
    assert gateway.look_up(build_sending("Murojaat 1", receipt=receipt)) == "delivered"
    assert gateway.look_up(build_sending("Murojaat 2")) == "absent"
    fake_service.messages += [(NUMBER, f"other {n}") for n in range(450)]  # more than two pages
    assert gateway.look_up(build_sending("other 449")) == "taken"


def test_play_mobile_finds_a_message_by_our_key(fake_service) -> None:
    gateway = playmobile_gateway(fake_service)
    gateway.send(NUMBER, "Murojaat 1", "m1")
    assert gateway.look_up(build_sending("Murojaat 1")) == "delivered"
    fake_service.states[""] = "Transmitted"
    assert gateway.look_up(build_sending("Murojaat 1")) == "taken"
    assert gateway.look_up(build_sending("Murojaat 2", "m2")) == "absent"
    fake_service.has_statuses = False
    assert gateway.look_up(build_sending("Murojaat 1")) == "unknown"


def test_a_message_centre_finds_a_message_by_its_receipt() -> None:
    with run_message_centre() as far:
        smpp_gateway = Smpp("smpp", far.url, "hotline", "secret", "1282", answer_seconds=60)
        try:
            receipt = smpp_gateway.send(NUMBER, "Murojaat 1", "m1").id
            assert smpp_gateway.look_up(build_sending("Murojaat 1")) == "unknown"
            for state, word in ((1, "taken"), (2, "delivered"), (5, "refused")):
                far.states[receipt] = state
                assert smpp_gateway.look_up(build_sending("Murojaat 1", receipt=receipt)) == word
            assert smpp_gateway.look_up(build_sending("Murojaat 1", receipt="c99")) == "absent"
        finally:
            smpp_gateway.close()


def test_an_unreachable_service_raises_trouble(fake_service) -> None:
    with pytest.raises(DeliveryError):
        Eskiz("eskiz", "http://127.0.0.1:9", "u", "p").look_up(build_sending("x"))


def test_states_are_stored_and_looked_up_again_later(settings, fake_service) -> None:
    delivered, waiting = (create_held_message(settings, f"Murojaat {n}", str(n)) for n in (1, 2))
    gateway = eskiz_gateway(fake_service)
    gateway.send(NUMBER, "Murojaat 1", "m1")
    dead = Eskiz("dead", "http://127.0.0.1:9", "u", "p")
    # the unreachable account may have sent the message that the other does not have
    assert lookups.query_held_messages([dead, gateway]) == 1
    assert lookups.query_held_messages([gateway], skipped_accounts=["eskiz"]) == 0
    assert lookups.query_held_messages([gateway]) == 1
    words = {row.message_id: (row.account, row.word) for row in HeldMessage}
    assert words == {delivered.id: ("eskiz", "taken"), waiting.id: ("eskiz", "absent")}
    assert lookups.query_held_messages([gateway]) == 0  # not again within some minutes
    HeldMessage.update(asked_at=clock.now() - dt.timedelta(hours=1)).execute()
    fake_service.states["id-1"] = "DELIVERED"
    assert lookups.query_held_messages([gateway]) == 1  # the state "absent" is final
    assert HeldMessage.get(HeldMessage.message == delivered).word == "delivered"


def test_an_absent_state_of_one_service_does_not_override_an_unknown_one(
    settings, fake_service
) -> None:
    message = create_held_message(settings, "Murojaat 1", "1")
    with run_message_centre() as fake_centre:
        smpp_gateway = Smpp("smpp", fake_centre.url, "hotline", "secret", "1282", answer_seconds=60)
        lookups.query_held_messages([smpp_gateway, eskiz_gateway(fake_service)])
        smpp_gateway.close()
    assert HeldMessage.get(HeldMessage.message == message).word == "unknown"


def test_new_messages_are_sent_while_others_are_on_hold(settings, fake_service) -> None:
    first, second, third = (
        create_held_message(settings, f"Murojaat {n}", str(n)) for n in (1, 2, 3)
    )
    outbox.queue_sms("registered", NUMBER, "Murojaat 4", key="4", tz=settings.tz)
    sender = SmsSender([eskiz_gateway(fake_service)])
    assert sender.send_due() == 1
    assert [text for _, text in fake_service.messages] == ["Murojaat 4"]
    [check] = health.messages.check_message_review(settings)
    assert (check.state, check.values) == ("fail", {"count": "3"})
    assert outbox.release_messages([first.id, 99], "rustam") == 1
    assert outbox.drop_messages([second.id], "rustam") == 1
    assert sender.send_due() == 1
    assert [text for _, text in fake_service.messages] == ["Murojaat 4", "Murojaat 1"]
    assert outbox.drop_messages(None, "oybek") == 1
    assert sender.send_due() == 0
    states = [Message.get_by_id(m.id).state for m in (first, second, third)]
    assert states == ["sent", "refused", "refused"]
    rows = AuditEntry.select().where(AuditEntry.action.in_(["outbox.send", "outbox.drop"]))
    assert [(row.who, row.action, row.subject) for row in rows.order_by(AuditEntry.id)] == [
        ("rustam", "outbox.send", str(first.id)),
        ("rustam", "outbox.drop", str(second.id)),
        ("oybek", "outbox.drop", str(third.id)),
    ]
    assert audit.first_broken_id() is None
    assert [check.state for check in health.messages.check_message_review(settings)] == ["ok"]


def test_a_released_message_is_sent_even_if_it_is_old(settings, fake_service) -> None:
    message = create_held_message(settings, "Murojaat 1", "1")
    Message.update(expires_at=clock.now() - dt.timedelta(days=3)).execute()
    outbox.expire_messages()
    assert Message.get_by_id(message.id).state == "held"  # people decide
    outbox.release_messages(None, "rustam")
    assert SmsSender([eskiz_gateway(fake_service)]).send_due() == 1


def test_a_delivery_report_ends_the_hold(settings) -> None:
    message = create_held_message(settings, "Murojaat 1", "1")
    assert outbox.record_delivery_report(
        "playmobile", outbox.gateway_key(message), "delivered", is_own_key=True
    )
    assert (outbox.held_message_count(), Message.get_by_id(message.id).state) == (0, "delivered")
