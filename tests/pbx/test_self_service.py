"""The state of an appeal over the keypad: requested by Asterisk, answered by FastAGI or not."""

import datetime as dt
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from appliance.casework.appeals import queries
from appliance.core import clock
from appliance.models import Appeal, Applicant, User
from appliance.pbx import agi
from appliance.telephony import prompts
from tests.pbx import local_calls
from tests.pbx.box import Box
from tests.rig.waiting import wait_until

CURRENT_YEAR = clock.now().year


@contextmanager
def answer_look_ups(box: Box) -> Iterator[None]:
    """Run the part of `appliance pbx` that answers look-ups."""
    stop = threading.Event()
    server = threading.Thread(target=agi.serve_look_ups, args=(box.settings, stop))
    server.start()
    try:
        wait_until(lambda: is_listening(box))
        yield
    finally:
        stop.set()
        server.join()


def agi_address(box: Box) -> tuple[str, int]:
    return box.settings.asterisk.inside, box.settings.asterisk.agi_port


def is_listening(box: Box) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(agi_address(box)) == 0


@pytest.fixture(scope="module")
def appeal(box: Box) -> Appeal:
    local_calls.load_modules(box, "app_senddtmf.so")
    moment = clock.now()
    return Appeal.create(
        number=f"{CURRENT_YEAR}-000123",
        applicant=Applicant.create(kind="person", created_at=moment),
        operator=User.get(User.login == "op01"),
        received_at=moment,
        registered_at=moment,
        applicant_kind="person",
        appeal_type="complaint",
        openness="open",
    )


def key_in_appeal(box: Box, keys: str, language: str = "uz") -> str:
    """Key in the number and stay on the line; return the result that the dialplan logged."""
    before = len(local_calls.dialplan_facts(box, "SELF_SERVICE"))
    local_calls.call_context(
        box, "self-service", "SendDTMF", f"ww{keys}{'w' * 16},100", __SPOKEN=language
    )
    facts = wait_until(lambda: local_calls.dialplan_facts(box, "SELF_SERVICE")[before:], limit=20)
    assert facts[0]["step"] == "appeal_status"
    return facts[0]["result"]


@pytest.mark.usefixtures("appeal")
def test_the_state_is_read_out_for_a_number(box: Box) -> None:
    with answer_look_ups(box):
        assert key_in_appeal(box, f"{CURRENT_YEAR}000123") == "told"
        assert key_in_appeal(box, "123#", "ru") == "told"
        assert key_in_appeal(box, "124#") == "unknown"


@pytest.mark.usefixtures("appeal")
def test_without_an_answer_the_call_continues(box: Box) -> None:
    assert key_in_appeal(box, "123#") == "unavailable"
    with socket.create_server(agi_address(box)):  # accepts the connection and sends nothing
        assert key_in_appeal(box, "123#") == "unavailable"
        assert local_calls.active_channels(box)


def look_up_appeal(box: Box, *arguments: str, key: str = "") -> dict[str, str]:
    """Send a request as Asterisk does, or with another key; return the variables that were set."""
    key = key or agi.look_up_key(box.settings)
    lines = ["agi_network: yes", "agi_network_script: appeal"]
    lines += [f"agi_arg_{number}: {value}" for number, value in enumerate(arguments, 1)]
    variables = {}
    with socket.create_connection(agi_address(box), 5) as line, line.makefile("rwb") as stream:
        stream.write("\n".join([*lines, "", ""]).encode())
        stream.flush()
        assert stream.readline() == b"GET VARIABLE LOOK_UP_KEY\n"
        stream.write(f"200 result=1 ({key})\n".encode())
        stream.flush()
        while answer := stream.readline().decode():
            _set, _variable, name, value = answer.split(" ", 3)
            variables[name] = value.strip().strip('"')
            stream.write(b"200 result=1\n")
            stream.flush()
    return variables


@pytest.mark.usefixtures("appeal")
def test_number_and_state_are_read_out_from_existing_files(box: Box) -> None:
    with answer_look_ups(box):
        variables = look_up_appeal(box, "123", "ru")
        assert variables["RESULT"] == "told"
        names = [file.split("/ru/")[1] for file in variables["TOLD"].split("&")]
        assert names[0] == "appeal-number"
        assert names[-3:] == ["digits/20", "digits/3", "appeal-received"]
        assert all(prompts.sound_file(box.settings.paths.prompts, "ru", name) for name in names)
        assert look_up_appeal(box, "", "ru") == {"RESULT": "unknown"}
        assert look_up_appeal(box, "123", "../etc") == {}


@pytest.mark.usefixtures("appeal")
def test_a_program_other_than_asterisk_gets_no_answer(box: Box) -> None:
    with answer_look_ups(box):
        assert look_up_appeal(box, "123", "ru", key="0" * 64) == {}
        assert look_up_appeal(box, "123", "ru", key="x) (") == {}
        with socket.create_connection(
            agi_address(box), 5
        ) as line:  # answers as if every step had succeeded
            line.sendall(b"agi_network_script: appeal\nagi_arg_1: 123\nagi_arg_2: ru\n\n")
            line.sendall(b"200 result=1\n" * 5)
            received = b""
            while more := line.recv(4096):
                received += more
        assert b"SET VARIABLE" not in received
        assert key_in_appeal(box, "123#") == "told"


def test_a_number_without_a_year_is_of_this_year_or_the_previous(appeal: Appeal) -> None:
    assert queries.appeal_by_keys("123", dt.date(CURRENT_YEAR, 5, 1)) == appeal
    assert queries.appeal_by_keys("123", dt.date(CURRENT_YEAR + 1, 1, 3)) == appeal
    assert queries.appeal_by_keys("123", dt.date(CURRENT_YEAR + 2, 1, 3)) is None
    assert (
        queries.appeal_by_keys(f"{CURRENT_YEAR}000123", dt.date(CURRENT_YEAR + 9, 1, 1)) == appeal
    )
    for keys in ("", "12345678901", "12*", "١٢٣"):
        assert queries.appeal_by_keys(keys, dt.date(CURRENT_YEAR, 5, 1)) is None


def test_asterisk_finds_all_sounds_of_numbers_and_queues(box: Box) -> None:
    numbers = (0, 1, 2, 5, 11, 21, 22, 101, 1000, 2026, 21002)
    for language in prompts.LANGUAGES:
        for number in numbers:
            local_calls.call_context(
                box,
                "self-service",
                "SayNumber",
                str(number),
                **{"CHANNEL(language)": language, "__SPOKEN": language},
            )
        for name in ("youarenext", "thereare", "callswaiting", "holdtime", "minutes", "missing"):
            data = {"CHANNEL(language)": language, "__SPOKEN": language}
            local_calls.call_context(box, "self-service", "Playback", f"queue-{name}", **data)
    wait_until(lambda: not local_calls.active_channels(box), limit=40)
    log = (box.settings.asterisk.log / "messages").read_text()
    missing = {
        line.split("File ")[1].split()[0] for line in log.splitlines() if " not exist" in line
    }
    assert missing == {"queue-missing"}
