"""The line to a message centre, against one that speaks SMPP and fails in each way."""

from collections.abc import Iterator

import pytest

from appliance.core.delivery import Declined, Later, NotSent, Unsure
from appliance.messaging.sms.gateway import Incoming, Report
from appliance.messaging.sms.providers.smpp import Smpp
from tests.rig.fakes.message_centre import Centre, centre
from tests.rig.waiting import until

NUMBER = "+998935550147"


@pytest.fixture
def far() -> Iterator[Centre]:
    with centre() as running:
        yield running


@pytest.fixture
def line(far: Centre) -> Iterator[Smpp]:
    made = Smpp("smpp", far.url, "hotline", "secret", "1282", answer=60)
    yield made
    made.close()


def heard(line: Smpp) -> list:
    return until(line.received, 60)


def test_short_ones_go_in_their_alphabet(line, far) -> None:
    assert line.send(NUMBER, "Narxi 5 € [oʻn]".replace("ʻ", "'"), "m1").id == "c1"
    assert line.send(NUMBER, "Ответ готов", "m2").id == "c2"
    seven, sixteen = far.took
    assert bytes(seven.short_message).decode("gsm03.38") == "Narxi 5 € [o'n]"
    assert (seven.data_coding, seven.registered_delivery) == (0, 1)
    assert (seven.destination_addr, seven.source_addr) == (b"998935550147", b"1282")
    assert bytes(sixteen.short_message).decode("utf-16-be") == "Ответ готов"
    assert sixteen.data_coding == 8
    assert far.binds == 1


@pytest.mark.parametrize(
    ("text", "alphabet", "count"),
    [("a" * 152 + "[" * 20, "gsm03.38", 2), ("я" * 66 + "😀" * 40, "utf-16-be", 3)],
)
def test_long_ones_go_in_parts_and_no_sign_is_cut(line, far, text, alphabet, count) -> None:
    assert line.send(NUMBER, text, "m300").id == f"c{count}"
    bodies = [bytes(part.short_message) for part in far.took]
    assert [body[:6] for body in bodies] == [
        bytes((5, 0, 3, 300 % 256, count, place)) for place in range(1, count + 1)
    ]
    assert "".join(body[6:].decode(alphabet) for body in bodies) == text
    assert all(len(body) <= 159 for body in bodies)
    assert all(part.esm_class == 0x40 for part in far.took)
    assert [part.registered_delivery for part in far.took] == [0] * (count - 1) + [1]


@pytest.mark.parametrize(
    ("mood", "kind", "code"),
    [
        ("busy", Later, "too_many"),
        ("bad_number", Declined, "declined"),
        ("fault", NotSent, "server_error"),
        ("bad_sender", NotSent, "account"),
        ("cut", Unsure, "answer_lost"),
    ],
)
def test_each_refusal_is_what_it_means(line, far, mood, kind, code) -> None:
    far.moods = [mood]
    with pytest.raises(kind) as trouble:
        line.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == code
    assert line.send(NUMBER, "Salom", "m1").id  # and goes on, over a new bind if need be


def test_a_silent_centre_leaves_it_unsure_and_the_line_is_made_anew(line, far) -> None:
    line.send(NUMBER, "Salom", "m1")
    line._line._socket.settimeout(0.2)  # the bind had longer
    far.moods = ["silent"]
    with pytest.raises(Unsure):
        line.send(NUMBER, "Salom", "m1")
    assert line.send(NUMBER, "Salom", "m1").id == "c3"
    assert far.binds == 2


def test_a_busy_centre_is_offered_the_rest_of_a_long_one_again(line, far, monkeypatch) -> None:
    monkeypatch.setattr("appliance.messaging.sms.providers.smpp.time.sleep", lambda _: None)
    far.moods = ["ok", "busy", "busy", "ok"]
    assert line.send(NUMBER, "a" * 200, "m1").id == "c2"
    far.moods = ["ok", "bad_number"]
    with pytest.raises(Unsure):  # half of it is out
        line.send(NUMBER, "a" * 200, "m2")


def test_a_wrong_password_and_nobody_there(far) -> None:
    wrong = Smpp("smpp", far.url, "hotline", "guess", "1282", answer=60)
    with pytest.raises(NotSent) as trouble:
        wrong.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == "log_in"
    with pytest.raises(NotSent) as trouble:
        Smpp("smpp", "127.0.0.1:9", "hotline", "guess", "1282").send(NUMBER, "Salom", "m1")
    assert trouble.value.code == "unreachable"


def test_receipts_and_messages_come_over_the_line(line, far) -> None:
    id = line.send(NUMBER, "Salom", "m1").id
    far.receipt(id, "ENROUTE")
    far.receipt(id, "DELIVRD")
    assert heard(line) == [Report(id, "delivered", ours=False)]
    far.receipt("c9", "UNDELIV")
    far.tell("5 ўзбек".encode("utf-16-be"), data_coding=8)
    far.tell(b"\x05\x00\x03\x01\x02\x01hello", esm_class=0x40)
    came = heard(line)
    while len(came) < 3:
        came += heard(line)
    assert came == [
        Report("c9", "refused", ours=False),
        Incoming(NUMBER, "5 ўзбек"),
        Incoming(NUMBER, "hello"),
    ]
    until(lambda: len(far.acknowledged) == 5, 60)


def test_the_line_is_kept_alive_and_made_anew(line, far, monkeypatch) -> None:
    assert line.received() == []
    far.ask_whether_there()
    monkeypatch.setattr("appliance.messaging.sms.providers.smpp._IDLE", -1)
    until(lambda: line.received() == [] and far.enquiries, 60)
    far.cut()
    until(lambda: _bound_anew(line, far), 60)


def _bound_anew(line: Smpp, far: Centre) -> bool:
    try:
        line.received()
    except (NotSent, Unsure):
        return False
    return far.binds == 2
