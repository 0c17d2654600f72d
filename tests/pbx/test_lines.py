"""The state of a phone for all open pages: one manager session, and queries about few channels."""

import dataclasses
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.core.settings import Settings
from appliance.pbx import actions
from tests.rig.waiting import wait_until

PAGE_COUNT = 12
CHANNEL = {
    "Channel": "PJSIP/1001-00000001",
    "Linkedid": "hotline-1.0",
    "ChannelStateDesc": "Up",
    "Context": "from-operator",
    "ConnectedLineNum": "+998935550147",
}
BRIDGE_ID = "5c1c0c0e"


class Exchange(socketserver.ThreadingTCPServer):
    """The answers of Asterisk's manager interface; counts the actions that it receives."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.action_counts: Counter[str] = Counter()
        self.sessions: list[Session] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.is_bridged = self.is_channel_gone = False


class Session(socketserver.StreamRequestHandler):
    server: Exchange

    def handle(self) -> None:
        self.server.sessions.append(self)
        self.wfile.write(b"Asterisk Call Manager/9.0.0\r\n")
        while action := self._read_action():
            self.server.action_counts[action["Action"]] += 1
            for fields in self._answer_action(action):
                self._send_fields(fields | {"ActionID": action["ActionID"]})

    def _answer_action(self, action: dict[str, str]) -> list[dict[str, str]]:
        success = {"Response": "Success"}
        bridge = {"BridgeID": BRIDGE_ID} if self.server.is_bridged else {}
        caller = CHANNEL | {"Channel": "PJSIP/carrier-00000002", "Context": "from-trunk"}
        match action:
            case {"Action": "Getvar", "Variable": "CHANNELS(^PJSIP/1001-)"}:
                self.server.may_answer.wait(30)
                return [success | {"Value": CHANNEL["Channel"]}]
            case {"Action": "Status"} if self.server.is_channel_gone:
                return [{"Response": "Error", "Message": "No such channel"}]
            case {"Action": "Status"}:
                item = CHANNEL | bridge | {"Event": "Status"}
                return [success, item, {"Event": "StatusComplete", "Items": "1"}]
            case {"Action": "BridgeInfo", "BridgeUniqueid": item} if item == BRIDGE_ID:
                channels = [c | {"Event": "BridgeInfoChannel"} for c in (CHANNEL, caller)]
                return [success, *channels, {"Event": "BridgeInfoComplete"}]
            case _:
                return [success]

    def _read_action(self) -> dict[str, str]:
        fields = {}
        while (line := self.rfile.readline().decode().strip()) and ": " in line:
            name, _, value = line.partition(": ")
            fields[name] = value
        return fields

    def _send_fields(self, fields: dict[str, str]) -> None:
        text = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with Exchange() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def site(settings: Settings, exchange: Exchange) -> Iterator[Settings]:
    address = {"address": "127.0.0.1", "ami_port": exchange.server_address[1]}
    yield dataclasses.replace(settings, asterisk=dataclasses.replace(settings.asterisk, **address))
    actions.lines.close_shared_session()


def test_many_pages_share_a_session(site: Settings, exchange: Exchange) -> None:
    exchange.may_answer.clear()
    with ThreadPoolExecutor(PAGE_COUNT) as pages:
        first = pages.submit(actions.phone_line, site, "1001")
        wait_until(lambda: exchange.action_counts["Getvar"] == 1)
        later_pages = [
            pages.submit(actions.phone_line, site, "1001") for _ in range(PAGE_COUNT - 1)
        ]
        exchange.may_answer.set()
        lines = {future.result(30) for future in (first, *later_pages)}
    assert lines == {actions.Line("dialling", "hotline-1.0", "+998935550147")}
    assert exchange.action_counts["Login"] == 1
    assert exchange.action_counts["Status"] == PAGE_COUNT  # never an earlier answer
    assert not exchange.action_counts["CoreShowChannels"]


def test_only_the_channels_of_a_phone_and_its_bridge_are_queried(
    site: Settings, exchange: Exchange
) -> None:
    exchange.is_bridged = True
    assert actions.phone_line(site, "1001") == actions.Line("talk", "hotline-1.0", "+998935550147")
    assert exchange.action_counts == {"Login": 1, "Getvar": 1, "Status": 1, "BridgeInfo": 1}
    assert actions.phone_line(site, "1002") is None
    assert exchange.action_counts == {"Login": 1, "Getvar": 2, "Status": 1, "BridgeInfo": 1}


def test_a_channel_that_ends_during_the_query_is_ignored(
    site: Settings, exchange: Exchange
) -> None:
    exchange.is_channel_gone = True
    assert actions.phone_line(site, "1001") is None
    assert exchange.action_counts["Login"] == 1  # Asterisk answers


def test_a_session_that_asterisk_ended_is_opened_again(site: Settings, exchange: Exchange) -> None:
    assert actions.phone_line(site, "1001")
    exchange.sessions[0].connection.shutdown(2)
    assert actions.phone_line(site, "1001")
    assert exchange.action_counts["Login"] == 2


def test_an_unreachable_exchange_raises_an_error(settings: Settings) -> None:
    nowhere = dataclasses.replace(settings.asterisk, address="127.0.0.1", ami_port=1)
    with pytest.raises(actions.Unreachable):
        actions.phone_line(dataclasses.replace(settings, asterisk=nowhere), "1001")
