"""The connection to a message centre, against a fake that fails in each way."""

from collections.abc import Iterator

import pytest

from appliance.core.delivery import (
    DeclinedError,
    NotSentError,
    RetryLaterError,
    UncertainDeliveryError,
)
from appliance.messaging.sms.gateway import Incoming, Report
from appliance.messaging.sms.providers.smpp import Smpp
from tests.rig.fakes.message_centre import MessageCentre, run_message_centre
from tests.rig.waiting import wait_until

NUMBER = "+998935550147"


@pytest.fixture
def fake_centre() -> Iterator[MessageCentre]:
    with run_message_centre() as running:
        yield running


@pytest.fixture
def line(fake_centre: MessageCentre) -> Iterator[Smpp]:
    smpp_gateway = Smpp("smpp", fake_centre.url, "hotline", "secret", "1282", answer_seconds=60)
    yield smpp_gateway
    smpp_gateway.close()


def receive_all(line: Smpp) -> list:
    return wait_until(line.receive_pending, 60)


def test_short_messages_are_sent_in_their_alphabet(line, fake_centre) -> None:
    assert line.send(NUMBER, "Narxi 5 € [oʻn]".replace("ʻ", "'"), "m1").id == "c1"
    assert line.send(NUMBER, "Ответ готов", "m2").id == "c2"
    gsm_part, ucs2_part = fake_centre.submits
    assert bytes(gsm_part.short_message).decode("gsm03.38") == "Narxi 5 € [o'n]"
    assert (gsm_part.data_coding, gsm_part.registered_delivery) == (0, 1)
    assert (gsm_part.destination_addr, gsm_part.source_addr) == (b"998935550147", b"1282")
    assert bytes(ucs2_part.short_message).decode("utf-16-be") == "Ответ готов"
    assert ucs2_part.data_coding == 8
    assert fake_centre.bind_count == 1


@pytest.mark.parametrize(
    ("text", "alphabet", "count"),
    [("a" * 152 + "[" * 20, "gsm03.38", 2), ("я" * 66 + "😀" * 40, "utf-16-be", 3)],
)
def test_long_messages_are_sent_in_parts_and_no_character_is_split(
    line, fake_centre, text, alphabet, count
) -> None:
    assert line.send(NUMBER, text, "m300").id == f"c{count}"
    bodies = [bytes(part.short_message) for part in fake_centre.submits]
    assert [body[:6] for body in bodies] == [
        bytes((5, 0, 3, 300 % 256, count, place)) for place in range(1, count + 1)
    ]
    assert "".join(body[6:].decode(alphabet) for body in bodies) == text
    assert all(len(body) <= 159 for body in bodies)
    assert all(part.esm_class == 0x40 for part in fake_centre.submits)
    assert [part.registered_delivery for part in fake_centre.submits] == [0] * (count - 1) + [1]


@pytest.mark.parametrize(
    ("mood", "kind", "code"),
    [
        ("busy", RetryLaterError, "too_many"),
        ("bad_number", DeclinedError, "declined"),
        ("fault", NotSentError, "server_error"),
        ("bad_sender", NotSentError, "account"),
        ("cut", UncertainDeliveryError, "answer_lost"),
    ],
)
def test_each_refusal_maps_to_its_exception_and_code(line, fake_centre, mood, kind, code) -> None:
    fake_centre.moods = [mood]
    with pytest.raises(kind) as trouble:
        line.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == code
    assert line.send(NUMBER, "Salom", "m1").id  # continues, over a new bind if needed


def test_a_silent_centre_leaves_the_message_unsure_and_the_connection_is_renewed(
    line, fake_centre
) -> None:
    line.send(NUMBER, "Salom", "m1")
    line._line._socket.settimeout(0.2)  # the bind needed a longer timeout
    fake_centre.moods = ["silent"]
    with pytest.raises(UncertainDeliveryError):
        line.send(NUMBER, "Salom", "m1")
    assert line.send(NUMBER, "Salom", "m1").id == "c3"
    assert fake_centre.bind_count == 2


def test_the_rest_of_a_long_message_is_retried_while_the_centre_is_busy(
    line, fake_centre, monkeypatch
) -> None:
    monkeypatch.setattr("appliance.messaging.sms.providers.smpp.time.sleep", lambda _: None)
    fake_centre.moods = ["ok", "busy", "busy", "ok"]
    assert line.send(NUMBER, "a" * 200, "m1").id == "c2"
    fake_centre.moods = ["ok", "bad_number"]
    with pytest.raises(UncertainDeliveryError):  # half of it was sent
        line.send(NUMBER, "a" * 200, "m2")


def test_a_wrong_password_and_an_unreachable_centre_are_reported(fake_centre) -> None:
    wrong = Smpp("smpp", fake_centre.url, "hotline", "guess", "1282", answer_seconds=60)
    with pytest.raises(NotSentError) as trouble:
        wrong.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == "log_in"
    with pytest.raises(NotSentError) as trouble:
        Smpp("smpp", "127.0.0.1:9", "hotline", "guess", "1282").send(NUMBER, "Salom", "m1")
    assert trouble.value.code == "unreachable"


def test_receipts_and_messages_arrive_over_the_connection(line, fake_centre) -> None:
    id = line.send(NUMBER, "Salom", "m1").id
    fake_centre.send_receipt(id, "ENROUTE")
    fake_centre.send_receipt(id, "DELIVRD")
    assert receive_all(line) == [Report(id, "delivered", is_own_id=False)]
    fake_centre.send_receipt("c9", "UNDELIV")
    fake_centre.deliver_message("5 ўзбек".encode("utf-16-be"), data_coding=8)
    fake_centre.deliver_message(b"\x05\x00\x03\x01\x02\x01hello", esm_class=0x40)
    came = receive_all(line)
    while len(came) < 3:
        came += receive_all(line)
    assert came == [
        Report("c9", "refused", is_own_id=False),
        Incoming(NUMBER, "5 ўзбек"),
        Incoming(NUMBER, "hello"),
    ]
    wait_until(lambda: len(fake_centre.acknowledged_sequences) == 5, 60)


def test_the_connection_is_kept_alive_and_renewed(line, fake_centre, monkeypatch) -> None:
    assert line.receive_pending() == []
    fake_centre.send_enquiry()
    monkeypatch.setattr("appliance.messaging.sms.providers.smpp._IDLE_SECONDS", -1)
    wait_until(lambda: line.receive_pending() == [] and fake_centre.enquiry_count, 60)
    fake_centre.close_line()
    wait_until(lambda: _is_bound_again(line, fake_centre), 60)


def _is_bound_again(line: Smpp, far: MessageCentre) -> bool:
    try:
        line.receive_pending()
    except (NotSentError, UncertainDeliveryError):
        return False
    return far.bind_count == 2
