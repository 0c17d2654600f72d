"""Messages on hold after a restore: what the services know, and what becomes of them."""

import datetime as dt
from collections.abc import Iterator

import pytest

from appliance.box import health
from appliance.core import audit, clock, outbox
from appliance.core.delivery import Trouble
from appliance.messaging.sms import lookups
from appliance.messaging.sms.gateway import Sending
from appliance.messaging.sms.providers.eskiz import Eskiz
from appliance.messaging.sms.providers.playmobile import PlayMobile
from appliance.messaging.sms.providers.smpp import Smpp
from appliance.messaging.sms.sender import Senders
from appliance.models import AuditEntry, HeldMessage, Message
from tests.rig.fakes.message_centre import centre
from tests.rig.fakes.sms import Service, service

NUMBER = "+998935550147"


@pytest.fixture
def far() -> Iterator[Service]:
    with service() as running:
        yield running


def eskiz(far: Service) -> Eskiz:
    return Eskiz("eskiz", far.url, "u", "p")


def playmobile(far: Service) -> PlayMobile:
    return PlayMobile("playmobile", far.url, "u", "p", "3700")


def sending(text: str, key: str = "m1", receipt: str = "") -> Sending:
    return Sending(NUMBER, text, key, receipt, clock.now())


def on_hold(settings, text: str, key: str) -> Message:
    """A message that a restore has put on hold."""
    message = outbox.put_sms("registered", NUMBER, text, key=key, tz=settings.tz)
    HeldMessage.create(message=message, held_at=clock.now())
    Message.update(state="held").where(Message.id == message.id).execute()
    return Message.get_by_id(message.id)


def test_eskiz_knows_a_message_by_its_id_or_by_number_and_text(far) -> None:
    gateway = eskiz(far)
    receipt = gateway.send(NUMBER, "Murojaat 1", "m1").id
    assert gateway.look_up(sending("Murojaat 1")) == "taken"
    far.states["id-1"] = "DELIVRD"
    assert gateway.look_up(sending("Murojaat  1")) == "delivered"
    assert gateway.look_up(sending("Murojaat 1", receipt=receipt)) == "delivered"
    assert gateway.look_up(sending("Murojaat 2")) == "absent"
    far.took += [(NUMBER, f"other {n}") for n in range(450)]  # more than two pages
    assert gateway.look_up(sending("other 449")) == "taken"


def test_play_mobile_knows_a_message_by_our_name(far) -> None:
    gateway = playmobile(far)
    gateway.send(NUMBER, "Murojaat 1", "m1")
    assert gateway.look_up(sending("Murojaat 1")) == "delivered"
    far.states[""] = "Transmitted"
    assert gateway.look_up(sending("Murojaat 1")) == "taken"
    assert gateway.look_up(sending("Murojaat 2", "m2")) == "absent"
    far.statuses = False
    assert gateway.look_up(sending("Murojaat 1")) == "unknown"


def test_a_message_centre_knows_it_by_its_receipt() -> None:
    with centre() as far:
        line = Smpp("smpp", far.url, "hotline", "secret", "1282", answer=60)
        try:
            receipt = line.send(NUMBER, "Murojaat 1", "m1").id
            assert line.look_up(sending("Murojaat 1")) == "unknown"
            for state, word in ((1, "taken"), (2, "delivered"), (5, "refused")):
                far.states[receipt] = state
                assert line.look_up(sending("Murojaat 1", receipt=receipt)) == word
            assert line.look_up(sending("Murojaat 1", receipt="c99")) == "absent"
        finally:
            line.close()


def test_a_service_that_cannot_be_reached_says_nothing(far) -> None:
    with pytest.raises(Trouble):
        Eskiz("eskiz", "http://127.0.0.1:9", "u", "p").look_up(sending("x"))


def test_the_answers_are_written_down_and_asked_for_again(settings, far) -> None:
    gone, waiting = (on_hold(settings, f"Murojaat {n}", str(n)) for n in (1, 2))
    gateway = eskiz(far)
    gateway.send(NUMBER, "Murojaat 1", "m1")
    dead = Eskiz("dead", "http://127.0.0.1:9", "u", "p")
    assert lookups.ask([dead, gateway]) == 1  # it may have sent what the other does not know
    assert lookups.ask([gateway], passed_over=["eskiz"]) == 0
    assert lookups.ask([gateway]) == 1
    words = {row.message_id: (row.account, row.word) for row in HeldMessage}
    assert words == {gone.id: ("eskiz", "taken"), waiting.id: ("eskiz", "absent")}
    assert lookups.ask([gateway]) == 0  # not sooner than in some minutes
    HeldMessage.update(asked_at=clock.now() - dt.timedelta(hours=1)).execute()
    far.states["id-1"] = "DELIVERED"
    assert lookups.ask([gateway]) == 1  # what is absent is said for good
    assert HeldMessage.get(HeldMessage.message == gone).word == "delivered"


def test_what_one_service_cannot_say_another_does_not_deny(settings, far) -> None:
    message = on_hold(settings, "Murojaat 1", "1")
    with centre() as other:
        line = Smpp("smpp", other.url, "hotline", "secret", "1282", answer=60)
        lookups.ask([line, eskiz(far)])
        line.close()
    assert HeldMessage.get(HeldMessage.message == message).word == "unknown"


def test_new_messages_go_out_while_others_are_on_hold(settings, far) -> None:
    first, second, third = (on_hold(settings, f"Murojaat {n}", str(n)) for n in (1, 2, 3))
    outbox.put_sms("registered", NUMBER, "Murojaat 4", key="4", tz=settings.tz)
    sender = Senders([eskiz(far)])
    assert sender.send_due() == 1
    assert [text for _, text in far.took] == ["Murojaat 4"]
    [check] = health.messages.review(settings)
    assert (check.state, check.values) == ("fail", {"count": "3"})
    assert outbox.release([first.id, 99], "rustam") == 1
    assert outbox.drop([second.id], "rustam") == 1
    assert sender.send_due() == 1
    assert [text for _, text in far.took] == ["Murojaat 4", "Murojaat 1"]
    assert outbox.drop(None, "oybek") == 1
    assert sender.send_due() == 0
    states = [Message.get_by_id(m.id).state for m in (first, second, third)]
    assert states == ["sent", "refused", "refused"]
    rows = AuditEntry.select().where(AuditEntry.action.in_(["outbox.send", "outbox.drop"]))
    assert [(row.who, row.action, row.subject) for row in rows.order_by(AuditEntry.id)] == [
        ("rustam", "outbox.send", str(first.id)),
        ("rustam", "outbox.drop", str(second.id)),
        ("oybek", "outbox.drop", str(third.id)),
    ]
    assert audit.broken_at() is None
    assert [check.state for check in health.messages.review(settings)] == ["ok"]


def test_a_released_one_that_is_old_still_goes_out(settings, far) -> None:
    message = on_hold(settings, "Murojaat 1", "1")
    Message.update(expires_at=clock.now() - dt.timedelta(days=3)).execute()
    outbox.expire()
    assert Message.get_by_id(message.id).state == "held"  # people decide
    outbox.release(None, "rustam")
    assert Senders([eskiz(far)]).send_due() == 1


def test_a_report_of_the_service_ends_the_hold(settings) -> None:
    message = on_hold(settings, "Murojaat 1", "1")
    assert outbox.reported("playmobile", outbox.key_of(message), "delivered", ours=True)
    assert (outbox.review_count(), Message.get_by_id(message.id).state) == (0, "delivered")
