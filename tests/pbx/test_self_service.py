"""The state of an appeal on the keypad: asked of a real Asterisk, answered by FastAGI, or not."""

import datetime as dt
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from appliance.casework import appeals
from appliance.core import clock
from appliance.models import Appeal, Applicant, User
from appliance.pbx import agi
from appliance.telephony import prompts
from tests.pbx import talking
from tests.pbx.box import Box
from tests.rig.waiting import until

YEAR = clock.now().year


@contextmanager
def answering(box: Box) -> Iterator[None]:
    """`appliance pbx`'s part that answers look-ups."""
    stop = threading.Event()
    server = threading.Thread(target=agi.answer, args=(box.settings, stop))
    server.start()
    try:
        until(lambda: listens(box))
        yield
    finally:
        stop.set()
        server.join()


def place(box: Box) -> tuple[str, int]:
    return box.settings.asterisk.inside, box.settings.asterisk.agi_port


def listens(box: Box) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(place(box)) == 0


@pytest.fixture(scope="module")
def appeal(box: Box) -> Appeal:
    talking.load(box, "app_senddtmf.so")
    moment = clock.now()
    return Appeal.create(
        number=f"{YEAR}-000123",
        applicant=Applicant.create(kind="person", created_at=moment),
        operator=User.get(User.login == "op01"),
        received_at=moment,
        registered_at=moment,
        applicant_kind="person",
        appeal_type="complaint",
        openness="open",
    )


def ask(box: Box, keys: str, language: str = "uz") -> str:
    """Key the number in and stay on the line; what the dialplan wrote down of it."""
    before = len(talking.facts(box, "SELF_SERVICE"))
    talking.call(box, "self-service", "SendDTMF", f"ww{keys}{'w' * 16},100", __SPOKEN=language)
    told = until(lambda: talking.facts(box, "SELF_SERVICE")[before:], limit=20)
    assert told[0]["step"] == "appeal_status"
    return told[0]["result"]


@pytest.mark.usefixtures("appeal")
def test_the_state_is_told_by_number(box: Box) -> None:
    with answering(box):
        assert ask(box, f"{YEAR}000123") == "told"
        assert ask(box, "123#", "ru") == "told"
        assert ask(box, "124#") == "unknown"


@pytest.mark.usefixtures("appeal")
def test_without_an_answer_the_call_goes_on(box: Box) -> None:
    assert ask(box, "123#") == "unavailable"
    with socket.create_server(place(box)):  # takes the connection, and says nothing
        assert ask(box, "123#") == "unavailable"
        assert talking.channels(box)


def look_up(box: Box, *arguments: str, key: str = "") -> dict[str, str]:
    """Ask as Asterisk does, or with another key; the variables that were set."""
    key = key or agi.key(box.settings)
    lines = ["agi_network: yes", "agi_network_script: appeal"]
    lines += [f"agi_arg_{number}: {value}" for number, value in enumerate(arguments, 1)]
    told = {}
    with socket.create_connection(place(box), 5) as line, line.makefile("rwb") as stream:
        stream.write("\n".join([*lines, "", ""]).encode())
        stream.flush()
        assert stream.readline() == b"GET VARIABLE LOOK_UP_KEY\n"
        stream.write(f"200 result=1 ({key})\n".encode())
        stream.flush()
        while answer := stream.readline().decode():
            _set, _variable, name, value = answer.split(" ", 3)
            told[name] = value.strip().strip('"')
            stream.write(b"200 result=1\n")
            stream.flush()
    return told


@pytest.mark.usefixtures("appeal")
def test_number_and_state_are_spoken_by_files_that_are_there(box: Box) -> None:
    with answering(box):
        told = look_up(box, "123", "ru")
        assert told["RESULT"] == "told"
        names = [file.split("/ru/")[1] for file in told["TOLD"].split("&")]
        assert names[0] == "appeal-number"
        assert names[-3:] == ["digits/20", "digits/3", "appeal-received"]
        assert all(prompts.sound_of(box.settings.paths.prompts, "ru", name) for name in names)
        assert look_up(box, "", "ru") == {"RESULT": "unknown"}
        assert look_up(box, "123", "../etc") == {}


@pytest.mark.usefixtures("appeal")
def test_another_program_than_asterisk_is_told_nothing(box: Box) -> None:
    with answering(box):
        assert look_up(box, "123", "ru", key="0" * 64) == {}
        assert look_up(box, "123", "ru", key="x) (") == {}
        with socket.create_connection(place(box), 5) as line:  # answers as if all were done
            line.sendall(b"agi_network_script: appeal\nagi_arg_1: 123\nagi_arg_2: ru\n\n")
            line.sendall(b"200 result=1\n" * 5)
            heard = b""
            while more := line.recv(4096):
                heard += more
        assert b"SET VARIABLE" not in heard
        assert ask(box, "123#") == "told"


def test_a_number_alone_is_of_this_year_or_of_the_last(appeal: Appeal) -> None:
    assert appeals.by_keys("123", dt.date(YEAR, 5, 1)) == appeal
    assert appeals.by_keys("123", dt.date(YEAR + 1, 1, 3)) == appeal
    assert appeals.by_keys("123", dt.date(YEAR + 2, 1, 3)) is None
    assert appeals.by_keys(f"{YEAR}000123", dt.date(YEAR + 9, 1, 1)) == appeal
    for keys in ("", "12345678901", "12*", "١٢٣"):
        assert appeals.by_keys(keys, dt.date(YEAR, 5, 1)) is None


def test_asterisk_finds_every_sound_of_numbers_and_queues(box: Box) -> None:
    numbers = (0, 1, 2, 5, 11, 21, 22, 101, 1000, 2026, 21002)
    for language in prompts.LANGUAGES:
        for number in numbers:
            talking.call(
                box,
                "self-service",
                "SayNumber",
                str(number),
                **{"CHANNEL(language)": language, "__SPOKEN": language},
            )
        for name in ("youarenext", "thereare", "callswaiting", "holdtime", "minutes", "missing"):
            data = {"CHANNEL(language)": language, "__SPOKEN": language}
            talking.call(box, "self-service", "Playback", f"queue-{name}", **data)
    until(lambda: not talking.channels(box), limit=40)
    log = (box.settings.asterisk.log / "messages").read_text()
    missing = {
        line.split("File ")[1].split()[0] for line in log.splitlines() if " not exist" in line
    }
    assert missing == {"queue-missing"}
