"""The stream of topics: who hears what, from where, and what when something was missed."""

import threading
from collections.abc import Iterator

import pytest

from appliance.core import db, live
from appliance.models import LiveEvent
from appliance.people import presence
from appliance.web.shell import live as screen
from tests.rig.waiting import until


class Stream:
    """An open stream, read as a browser reads it."""

    def __init__(self, browser, path: str = "/live", last: str = "") -> None:
        headers = {"Last-Event-ID": last} if last else {}
        self.answer = browser.get(path, headers=headers)
        assert self.answer.status_code == 200
        self._lines = iter(self.answer.response)

    def next(self) -> tuple[str, str, str]:
        """(id, event, data) of the next event that is not a sign of life."""
        while True:
            lines = self.text().strip().split("\n")
            fields = dict(line.split(":", 1) for line in lines)
            told = tuple(fields.get(name, "").strip() for name in ("id", "event", "data"))
            if told[1] not in ("", "beat"):
                return told

    def text(self) -> str:
        """The next event as it is sent."""
        return next(self._lines).decode()

    def close(self) -> None:
        self.answer.close()


@pytest.fixture
def listen(login_as) -> Iterator:
    streams = []

    def opened(who: str, *args, **kwargs) -> Stream:
        streams.append(Stream(login_as(who), *args, **kwargs))
        return streams[-1]

    yield opened
    for stream in streams:
        stream.close()


def publish(*topics: str) -> int:
    with db.writing():
        live.publish(*topics)
    return live.newest()


def test_a_topic_is_told(listen) -> None:
    stream = listen("supervisor")
    number = publish("calls")
    assert stream.next() == (str(number), "topic", "calls")
    publish("operators")
    assert stream.next()[1:] == ("topic", "operators")


def test_what_comes_between_the_page_and_its_stream_is_told(listen) -> None:
    rendered = live.newest()
    publish("calls")
    stream = listen("supervisor", f"/live?after={rendered}")
    assert stream.next()[1] in ("topic", "refresh")


@pytest.mark.parametrize(
    ("who", "heard"),
    [
        ("nilufar", ["calls", "operator"]),
        ("sardor", ["calls", "operator"]),
        ("supervisor", ["calls", "operators"]),
        ("manager", ["calls", "operators"]),
        ("ministry", ["appeals"]),
    ],
)
def test_each_hears_what_is_his(listen, who, heard) -> None:
    stream = listen(who)
    mine = {"operator": f"operator:{who}"}.get(heard[-1], heard[-1])
    other = "operator:sardor" if who == "nilufar" else "operator:nilufar"
    publish(other, "calls", "operators", mine, "secret")
    told = [stream.next() for _ in heard]
    assert [data for _, _, data in told] == heard
    publish(mine)
    assert stream.next()[2] == heard[-1]  # nothing else came in between


def test_choosing_a_state_is_told_to_the_operator_and_the_leads(listen, nilufar) -> None:
    own, leads = listen("nilufar"), listen("supervisor")
    presence.choose_state(nilufar, "ready")
    assert own.next()[2] == "operator"
    assert leads.next()[2] == "operators"


def test_the_others_hear_nothing(login_as) -> None:
    browser = login_as("backup")
    assert browser.get("/live").status_code == 403
    assert '<meta name="live"' not in browser.get("/account").text


def test_a_stream_that_comes_back_hears_what_it_missed(listen) -> None:
    first = listen("supervisor")
    heard = publish("calls")
    first.next()
    first.close()
    publish("operators")
    watcher = listen("manager", last=str(heard))
    assert watcher.next()[2] == "operators"


def test_a_stream_that_missed_what_is_forgotten_fetches_everything(listen) -> None:
    publish("calls")
    publish("calls")
    assert listen("supervisor", last="1").next()[1] == "refresh"


def test_a_stream_from_before_the_database_was_made_anew_fetches_everything(listen) -> None:
    assert listen("supervisor", last="99999").next()[1] == "refresh"


def test_an_event_that_is_told_late_is_told_once(listen) -> None:
    prompt = listen("manager")
    before = live.newest()
    publish("calls", "calls", "operators")
    while prompt.next()[2] != "operators":
        pass
    late = listen("supervisor", f"/live?after={before}")
    assert [late.next()[2], late.next()[2]] == ["calls", "operators"]


def test_a_stream_is_woken_only_by_what_it_hears(monkeypatch) -> None:
    monkeypatch.setattr(screen, "BEAT", 60.0)
    listener, looks, told = screen.Listener(), [], []
    since = listener._since
    monkeypatch.setattr(listener, "_since", lambda after: looks.append(after) or since(after))

    def hear() -> None:
        heard = listener.hear(0, 0, {"links": "links"}, threading.Event(), "session:1")
        told.append(next(line for line in heard if "topic" in line))

    stream = threading.Thread(target=hear)
    stream.start()
    until(lambda: len(looks) == 3)  # a sign of life, and it waits
    listener._follow((number, "calls") for number in range(1, 51))
    assert len(looks) == 3
    listener._follow([(51, "links")])
    stream.join()
    assert told == ["id: 51\nevent: topic\ndata: links\n\n"]
    assert listener._ears == {}


def test_streams_hold_no_connection(login_as) -> None:
    browser = login_as("supervisor")
    closed: list[bool] = []

    def listen() -> None:  # in a thread of its own, as under gunicorn
        stream = Stream(browser)
        stream.text()
        closed.append(db.database.is_closed())
        stream.close()

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert closed == [True]


def test_streams_leave_threads_to_the_pages(app, login_as) -> None:
    app.extensions["streams"] = screen.Streams(app.extensions["live"], 1)
    browser, other = login_as("supervisor"), login_as("manager")
    stream = Stream(browser)
    stream.text()
    assert browser.get("/live").status_code == 503
    assert other.get("/live").status_code == 503
    assert browser.get("/calls").status_code == 200
    stream.close()
    again = Stream(browser)
    again.close()


def test_one_person_takes_few_streams(login_as) -> None:
    """Counted before they are answered: none of these has been read."""
    browser, other = login_as("supervisor"), login_as("manager")
    streams = [Stream(browser) for _ in range(screen.OF_ONE + screen.ENDING)]
    assert browser.get("/live").status_code == 503
    Stream(other).close()
    streams.pop().close()
    Stream(browser).close()
    for stream in streams:
        stream.close()


def test_the_page_opened_last_is_live_and_the_oldest_tries_again_later(login_as) -> None:
    """A browser that went through nine pages quickly has left eight of them: it does not say so."""
    browser = login_as("supervisor")
    streams = [Stream(browser) for _ in range(screen.OF_ONE + 1)]
    for stream in streams:
        stream.text()  # how soon to come again
    assert streams[0].text() == f"retry: {screen.LATER}\n\n"
    assert list(streams[0].answer.response) == []
    publish("calls")
    assert [stream.next()[2] for stream in streams[1:]] == ["calls"] * screen.OF_ONE
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("after", ["-1", "x", "\u0663", "9" * 30, "9" * 5000, "1e3"])
def test_no_number_to_go_on_from_is_taken_for_none(login_as, after) -> None:
    stream = Stream(login_as("supervisor"), f"/live?after={after}")
    publish("calls")
    assert stream.next()[2] == "calls"
    stream.close()


def test_a_sign_of_life_comes_when_nothing_happens(login_as, monkeypatch) -> None:
    monkeypatch.setattr(screen, "BEAT", 0.05)
    stream = Stream(login_as("supervisor"))
    texts = [stream.text() for _ in range(4)]
    assert sum("event: beat" in text for text in texts) >= 2
    stream.close()


def test_a_stream_ends_so_that_rights_are_looked_at_again(login_as, monkeypatch) -> None:
    monkeypatch.setattr(screen, "LASTS", 0.0)
    assert Stream(login_as("supervisor")).answer.data.count(b"event: topic") == 0


def test_clearing_does_not_begin_the_numbers_again(settings) -> None:
    newest = publish("calls")
    LiveEvent.update(at=live.clock.now() - 2 * live.KEPT).execute()
    live.clear()
    assert publish("calls") == newest + 1
