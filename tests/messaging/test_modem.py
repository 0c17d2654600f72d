"""The GSM modem, on a pseudo-terminal that simulates it."""

from collections.abc import Iterator

import pytest

from appliance.core.delivery import DeclinedError, NotSentError, UncertainDeliveryError
from appliance.messaging.sms.gateway import Incoming, Report
from appliance.messaging.sms.providers.modem import Modem
from tests.rig.fakes.modem import FakeModem, run_modem, status_report
from tests.rig.waiting import wait_until

NUMBER = "+998935550147"
# SMS-DELIVER from +998935550147, "5", and "Ответ"
FIVE = "00040C919998535510740000621162900000020135"
ANSWER = "00040C919998535510740008621162900000020A041E0442043204350442"


@pytest.fixture
def fake_modem() -> Iterator[FakeModem]:
    with run_modem() as playing:
        yield playing


@pytest.fixture
def line(fake_modem: FakeModem) -> Iterator[Modem]:
    modem_gateway = Modem("modem", fake_modem.url, answer_seconds=60, network_seconds=60)
    yield modem_gateway
    modem_gateway.close()


def test_texts_are_sent_in_their_alphabet_and_in_parts(line, fake_modem) -> None:
    assert line.send(NUMBER, "Narxi 5 € [o'n]", "m1").id == f"{NUMBER}:1"
    assert line.send(NUMBER, "Ответ готов", "m2").id == f"{NUMBER}:2"
    line.send(NUMBER, "a" * 152 + "[" * 20, "m300")
    assert [took["text"] for took in fake_modem.submits[:2]] == ["Narxi 5 € [o'n]", "Ответ готов"]
    parts = fake_modem.submits[2:]
    assert "".join(took["text"] for took in parts) == "a" * 152 + "[" * 20
    assert [(took["udh"][0].reference, took["udh"][0].number) for took in parts] == [
        (300 % 256, 1),
        (300 % 256, 2),
    ]
    assert {took["number"] for took in fake_modem.submits} == {NUMBER}
    assert fake_modem.commands.count("ATZ") == 1


@pytest.mark.parametrize(("text", "count"), [("Rahmat 😀", 1), ("я" * 66 + "😀" * 40, 3)])
def test_characters_of_two_code_units_are_not_split(line, fake_modem, text, count) -> None:
    assert line.send(NUMBER, text, "m1").id == f"{NUMBER}:{count}"
    assert "".join(took["text"] for took in fake_modem.submits) == text
    assert len(fake_modem.submits) == count


def test_an_invalid_number_is_declined(line, fake_modem) -> None:
    with pytest.raises(DeclinedError):
        line.send("Beeline", "Salom", "m1")
    assert not fake_modem.submits


@pytest.mark.parametrize(
    ("mood", "kind", "code"),
    [
        ("error", NotSentError, "modem_fault"),
        ("no_prompt", NotSentError, "modem_fault"),
        ("331", NotSentError, "no_network"),
        ("310", NotSentError, "sim"),
        ("28", DeclinedError, "declined"),
        ("500", UncertainDeliveryError, "server_error"),
    ],
)
def test_each_error_maps_to_its_exception_and_code(line, fake_modem, mood, kind, code) -> None:
    fake_modem.moods = [mood]
    with pytest.raises(kind) as trouble:
        line.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == code
    assert line.send(NUMBER, "Salom", "m1").id


def test_a_partly_sent_long_message_is_unsure(line, fake_modem) -> None:
    fake_modem.moods = ["ok", "331"]
    with pytest.raises(UncertainDeliveryError):
        line.send(NUMBER, "a" * 200, "m1")


@pytest.mark.parametrize("state", ["+CREG: 0,2", "+CREG: 0,3", ""])
def test_without_a_network_nothing_is_sent(line, fake_modem, state) -> None:
    fake_modem.network = state
    with pytest.raises(NotSentError) as trouble:
        line.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == "no_network"
    assert not fake_modem.submits


def test_a_sim_card_that_requires_a_pin_is_unlocked(fake_modem) -> None:
    fake_modem.card = "+CPIN: SIM PIN"
    locked = Modem("modem", fake_modem.url, answer_seconds=60, network_seconds=60)
    with pytest.raises(NotSentError) as trouble:
        locked.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == "sim"
    line = Modem("modem", fake_modem.url, password="1234", answer_seconds=60, network_seconds=60)
    assert line.send(NUMBER, "Salom", "m1").id
    assert 'AT+CPIN="1234"' in fake_modem.commands
    line.close()


def test_silence_before_the_text_is_not_sent_and_after_it_is_unsure(fake_modem) -> None:
    line = Modem("modem", fake_modem.url, answer_seconds=0.2, network_seconds=0.2)
    fake_modem.is_deaf = True
    with pytest.raises(NotSentError) as trouble:
        line.send(NUMBER, "Salom", "m1")
    assert trouble.value.code == "no_modem"
    wait_until(lambda: fake_modem.commands)
    fake_modem.is_deaf = False
    line.answer_seconds = 60
    fake_modem.moods = ["silent"]
    with pytest.raises(UncertainDeliveryError):
        line.send(NUMBER, "Salom", "m1")
    line.network_seconds = 60
    assert line.send(NUMBER, "Salom", "m1").id == f"{NUMBER}:2"
    line.close()


def test_a_missing_modem_is_reported(tmp_path) -> None:
    with pytest.raises(NotSentError) as trouble:
        Modem("modem", str(tmp_path / "ttyUSB9")).receive_pending()
    assert trouble.value.code == "no_modem"


def test_messages_and_reports_are_received_and_then_deleted(line, fake_modem) -> None:
    fake_modem.stored_pdus = {3: FIVE, 4: ANSWER, 5: "nonsense"}
    fake_modem.unsolicited_lines = ["RING", '+CMTI: "SM",3', "+CDS: 25", status_report(NUMBER, 1)]
    assert line.receive_pending() == [
        Report(f"{NUMBER}:1", "delivered", is_own_id=False),
        Incoming(NUMBER, "5"),
        Incoming(NUMBER, "Ответ"),
    ]
    assert len(fake_modem.stored_pdus) == 3  # they are stored here only after this
    fake_modem.unsolicited_lines = [
        "+CDS: 25",
        status_report(NUMBER, 1, 0x30),
        "+CDS: 25",
        status_report(NUMBER, 1, 0x46),
    ]
    assert line.receive_pending() == [Report(f"{NUMBER}:1", "refused", is_own_id=False)]
    assert fake_modem.stored_pdus == {}


def test_lines_received_before_the_prompt_are_not_lost(line, fake_modem) -> None:
    fake_modem.prompt_lines = ["RING", "+CDS: 25", status_report(NUMBER, 9), '+CMTI: "SM",3']
    assert line.send(NUMBER, "Salom", "m1").id == f"{NUMBER}:1"
    assert line.receive_pending() == [Report(f"{NUMBER}:9", "delivered", is_own_id=False)]


def test_a_long_message_is_reported_only_by_its_returned_id(line, fake_modem) -> None:
    fake_modem.sends_reports = True
    id = line.send(NUMBER, "a" * 400, "m1").id
    assert len(fake_modem.submits) == 3
    assert line.receive_pending() == [Report(id, "delivered", is_own_id=False)]
