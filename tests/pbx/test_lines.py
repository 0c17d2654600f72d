"""What a phone does, as all open pages look at it: one session with Asterisk, few channels told."""

import dataclasses
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.core.settings import Settings
from appliance.pbx import actions
from tests.rig.waiting import until

PAGES = 12
CHANNEL = {
    "Channel": "PJSIP/1001-00000001",
    "Linkedid": "hotline-1.0",
    "ChannelStateDesc": "Up",
    "Context": "from-operator",
    "ConnectedLineNum": "+998935550147",
}
BRIDGE = "5c1c0c0e"


class Exchange(socketserver.ThreadingTCPServer):
    """What Asterisk answers on its manager interface; counts what it is asked."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.asked: Counter[str] = Counter()
        self.sessions: list[Session] = []
        self.may_tell = threading.Event()
        self.may_tell.set()
        self.bridged = self.gone = False


class Session(socketserver.StreamRequestHandler):
    server: Exchange

    def handle(self) -> None:
        self.server.sessions.append(self)
        self.wfile.write(b"Asterisk Call Manager/9.0.0\r\n")
        while action := self._action():
            self.server.asked[action["Action"]] += 1
            for fields in self._answer(action):
                self._tell(fields | {"ActionID": action["ActionID"]})

    def _answer(self, action: dict[str, str]) -> list[dict[str, str]]:
        taken = {"Response": "Success"}
        bridge = {"BridgeID": BRIDGE} if self.server.bridged else {}
        caller = CHANNEL | {"Channel": "PJSIP/carrier-00000002", "Context": "from-trunk"}
        match action:
            case {"Action": "Getvar", "Variable": "CHANNELS(^PJSIP/1001-)"}:
                self.server.may_tell.wait(30)
                return [taken | {"Value": CHANNEL["Channel"]}]
            case {"Action": "Status"} if self.server.gone:
                return [{"Response": "Error", "Message": "No such channel"}]
            case {"Action": "Status"}:
                told = CHANNEL | bridge | {"Event": "Status"}
                return [taken, told, {"Event": "StatusComplete", "Items": "1"}]
            case {"Action": "BridgeInfo", "BridgeUniqueid": told} if told == BRIDGE:
                channels = [c | {"Event": "BridgeInfoChannel"} for c in (CHANNEL, caller)]
                return [taken, *channels, {"Event": "BridgeInfoComplete"}]
            case _:
                return [taken]

    def _action(self) -> dict[str, str]:
        found = {}
        while (line := self.rfile.readline().decode().strip()) and ": " in line:
            name, _, value = line.partition(": ")
            found[name] = value
        return found

    def _tell(self, fields: dict[str, str]) -> None:
        told = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.wfile.write(f"{told}\r\n".encode())


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
    actions.lines.leave()


def test_many_pages_share_a_session(site: Settings, exchange: Exchange) -> None:
    exchange.may_tell.clear()
    with ThreadPoolExecutor(PAGES) as pages:
        first = pages.submit(actions.line, site, "1001")
        until(lambda: exchange.asked["Getvar"] == 1)
        others = [pages.submit(actions.line, site, "1001") for _ in range(PAGES - 1)]
        exchange.may_tell.set()
        found = {future.result(30) for future in (first, *others)}
    assert found == {actions.Line("dialling", "hotline-1.0", "+998935550147")}
    assert exchange.asked["Login"] == 1
    assert exchange.asked["Status"] == PAGES  # never what was told before
    assert not exchange.asked["CoreShowChannels"]


def test_of_a_phone_only_its_channels_and_who_speaks_with_it_are_asked_for(
    site: Settings, exchange: Exchange
) -> None:
    exchange.bridged = True
    assert actions.line(site, "1001") == actions.Line("talk", "hotline-1.0", "+998935550147")
    assert exchange.asked == {"Login": 1, "Getvar": 1, "Status": 1, "BridgeInfo": 1}
    assert actions.line(site, "1002") is None
    assert exchange.asked == {"Login": 1, "Getvar": 2, "Status": 1, "BridgeInfo": 1}


def test_a_channel_that_goes_while_it_is_asked_for_is_none(
    site: Settings, exchange: Exchange
) -> None:
    exchange.gone = True
    assert actions.line(site, "1001") is None
    assert exchange.asked["Login"] == 1  # Asterisk answers


def test_a_session_that_asterisk_ended_is_begun_anew(site: Settings, exchange: Exchange) -> None:
    assert actions.line(site, "1001")
    exchange.sessions[0].connection.shutdown(2)
    assert actions.line(site, "1001")
    assert exchange.asked["Login"] == 2


def test_an_exchange_that_is_silent_is_told_of(settings: Settings) -> None:
    nowhere = dataclasses.replace(settings.asterisk, address="127.0.0.1", ami_port=1)
    with pytest.raises(actions.Unreachable):
        actions.line(dataclasses.replace(settings, asterisk=nowhere), "1001")
