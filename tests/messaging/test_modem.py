"""The GSM modem, on a pseudo-terminal that plays it."""

from collections.abc import Iterator

import pytest

from appliance.core.delivery import Declined, NotSent, Unsure
from appliance.messaging.sms.gateway import Incoming, Report
from appliance.messaging.sms.providers.modem import Modem
from tests.rig.fakes.modem import Played, modem, report
from tests.rig.waiting import until

NUMBER = "+998935550147"
# SMS-DELIVER from +998935550147, "5", and "Ответ"
FIVE = "00040C919998535510740000621162900000020135"
ANSWER = "00040C919998535510740008621162900000020A041E0442043204350442"


@pytest.fixture
def far() -> Iterator[Played]:
    with modem() as playing:
        yield playing


@pytest.fixture
def line(far: Played) -> Iterator[Modem]:
    made = Modem("modem", far.url, quick=60, long=60)
    yield made
    made.close()


def test_texts_go_in_their_alphabet_and_in_parts(line, far) -> None:
    assert line.send(NUMBER, "Narxi 5 € [o'n]", "m1").id == f"{NUMBER}:1"
    assert line.send(NUMBER, "Ответ готов", "m2").id == f"{NUMBER}:2"
    line.send(NUMBER, "a" * 152 + "[" * 20, "m300")
    assert [took["text"] for took in far.took[:2]] == ["Narxi 5 € [o'n]", "Ответ готов"]
    parts = far.took[2:]
    assert "".join(took["text"] for took in parts) == "a" * 152 + "[" * 20
    assert [(took["udh"][0].reference, took["udh"][0].number) for took in parts] == [
        (300 % 256, 1),
        (300 % 256, 2),
    ]
    assert {took["number"] for took in far.took} == {NUMBER}
    assert far.said.count("ATZ") == 1


@pytest.mark.parametrize(("text", "count"), [("Rahmat 😀", 1), ("я" * 66 + "😀" * 40, 3)])
def test_signs_of_two_places_go_whole(line, far, text, count) -> None:
    assert line.send(NUMBER, text, "m1").id == f"{NUMBER}:{count}"
    assert "".join(took["text"] for took in far.took) == text
    assert len(far.took) == count


def test_a_number_that_is_none_is_declined(line, far) -> None:
    with pytest.raises(Declined):
        line.send("Beeline", "Salom", "m1")
    assert not far.took


@pytest.mark.parametrize(
    ("mood", "kind", "code"),
    [
        ("error", NotSent, "modem_fault"),
        ("no_prompt", NotSent, "modem_fault"),
        ("331", NotSent, "no_network"),
        ("310", NotSent, "sim"),
        ("28", Declined, "declined"),
        ("500", Unsure, "server_error"),
    ],
)
def test_each_error_is_what_it_means(line, far, mood, kind, code) -> None:
    far.moods = [mood]
    with pytest.raises(kind) as trouble:
        line.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == code
    assert line.send(NUMBER, "Salom", "m1").id


def test_half_of_a_long_one_is_unsure(line, far) -> None:
    far.moods = ["ok", "331"]
    with pytest.raises(Unsure):
        line.send(NUMBER, "a" * 200, "m1")


@pytest.mark.parametrize("state", ["+CREG: 0,2", "+CREG: 0,3", ""])
def test_without_a_network_nothing_is_tried(line, far, state) -> None:
    far.network = state
    with pytest.raises(NotSent) as trouble:
        line.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == "no_network"
    assert not far.took


def test_a_card_that_asks_for_its_pin(far) -> None:
    far.card = "+CPIN: SIM PIN"
    locked = Modem("modem", far.url, quick=60, long=60)
    with pytest.raises(NotSent) as trouble:
        locked.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == "sim"
    line = Modem("modem", far.url, password="1234", quick=60, long=60)
    assert line.send(NUMBER, "Salom", "m1").id
    assert 'AT+CPIN="1234"' in far.said
    line.close()


def test_silence_before_and_after_the_text(far) -> None:
    line = Modem("modem", far.url, quick=0.2, long=0.2)
    far.deaf = True
    with pytest.raises(NotSent) as trouble:
        line.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == "no_modem"
    until(lambda: far.said)
    far.deaf = False
    line.quick = 60
    far.moods = ["silent"]
    with pytest.raises(Unsure):
        line.send(NUMBER, "Salom", "m1")
    line.long = 60
    assert line.send(NUMBER, "Salom", "m1").id == f"{NUMBER}:2"
    line.close()


def test_no_modem_at_all(tmp_path) -> None:
    with pytest.raises(NotSent) as trouble:
        Modem("modem", str(tmp_path / "ttyUSB9")).received()
    assert trouble.value.code == "no_modem"


def test_messages_and_reports_come_and_are_deleted_after(line, far) -> None:
    far.stored = {3: FIVE, 4: ANSWER, 5: "nonsense"}
    far.unasked = ["RING", '+CMTI: "SM",3', "+CDS: 25", report(NUMBER, 1)]
    assert line.received() == [
        Report(f"{NUMBER}:1", "delivered", ours=False),
        Incoming(NUMBER, "5"),
        Incoming(NUMBER, "Ответ"),
    ]
    assert len(far.stored) == 3  # they are ours only now
    far.unasked = ["+CDS: 25", report(NUMBER, 1, 0x30), "+CDS: 25", report(NUMBER, 1, 0x46)]
    assert line.received() == [Report(f"{NUMBER}:1", "refused", ours=False)]
    assert far.stored == {}


def test_what_comes_before_the_prompt_is_kept(line, far) -> None:
    far.at_prompt = ["RING", "+CDS: 25", report(NUMBER, 9), '+CMTI: "SM",3']
    assert line.send(NUMBER, "Salom", "m1").id == f"{NUMBER}:1"
    assert line.received() == [Report(f"{NUMBER}:9", "delivered", ours=False)]


def test_of_a_long_one_only_the_name_that_was_given_is_reported(line, far) -> None:
    far.reports = True
    id = line.send(NUMBER, "a" * 400, "m1").id
    assert len(far.took) == 3
    assert line.received() == [Report(id, "delivered", ours=False)]
