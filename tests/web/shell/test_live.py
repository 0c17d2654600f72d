"""The stream of topics: who hears what, from where, and what when something was missed."""

import re
import threading
from collections.abc import Iterator

import pytest

from appliance.core import db, live
from appliance.models import LiveEvent
from appliance.people import presence
from appliance.web.shell import streams as screen
from tests.rig.streams import Stream
from tests.rig.waiting import until


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


def test_an_operator_hears_of_his_own_call_only(listen) -> None:
    stream = listen("nilufar")
    publish("call:sardor", "call:nilufar")
    assert stream.next()[1:] == ("topic", "call")


def test_a_call_has_only_that_fetched_anew_which_shows_it(login_as) -> None:
    page = login_as("operator").get("/operator").text
    hearing = re.findall(r'data-live="([^"]*)" hx-get="([^"?]*)', page)
    of_call = {address for topics, address in hearing if "call" in topics.split()}
    assert {"/operator/bar", "/operator/state", "/operator/figures"} <= of_call
    assert "/appeals/returned" not in of_call
    assert "/callbacks/mine" not in of_call
    assert all("operator" in topics.split() for topics, address in hearing if address in of_call)


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


def test_a_stream_is_woken_only_by_what_it_hears(listen, monkeypatch) -> None:
    woken = []
    write = screen.Stream.write_heard
    monkeypatch.setattr(
        screen.Stream,
        "write_heard",
        lambda one, newest: woken.append(one.who) or write(one, newest),
    )
    stream = listen("ministry")
    assert stream.text().endswith("event: beat\ndata:")
    assert len(woken) == 1  # as it began
    for topic in ("calls", "operators", "calls"):
        publish(topic)
    publish("links")
    assert stream.next()[2] == "links"
    assert len(woken) == 2


def test_what_happens_at_once_is_told_once(listen) -> None:
    stream = listen("supervisor")
    newest = publish("calls", "operators", "calls", "calls")
    assert stream.next() == (str(newest), "topic", "calls")
    assert stream.next() == (str(newest), "topic", "operators")
    publish("links")
    assert stream.next()[2] == "links"


def test_a_stream_holds_no_thread_and_no_connection(login_as) -> None:
    browser = login_as("supervisor")
    streams = [Stream(browser)]
    before = threading.active_count()
    assert db.database.is_closed()
    streams += [Stream(browser) for _ in range(screen.OF_ONE - 1)]
    publish("calls")
    assert {stream.next()[2] for stream in streams} == {"calls"}
    assert threading.active_count() == before
    for stream in streams:
        stream.close()


def test_streams_are_no_more_than_their_places(app, login_as, monkeypatch) -> None:
    monkeypatch.setattr(app.extensions["live"], "_most", 1)
    browser, other = login_as("supervisor"), login_as("manager")
    stream = Stream(browser)
    assert browser.get("/live").status_code == 503
    assert other.get("/live").status_code == 503
    assert browser.get("/calls").status_code == 200
    stream.close()
    until(lambda: other.get("/live").status_code == 200)


def test_what_is_no_stream_in_the_end_takes_no_place(app, login_as) -> None:
    """Asked for without a socket, as by HEAD."""
    browser = login_as("supervisor")
    for ask in (browser.get, browser.head):
        assert ask("/live").status_code == 200
    assert not app.extensions["live"]._open


def test_the_page_opened_last_is_live_and_the_oldest_tries_again_later(login_as) -> None:
    """A browser that went through nine pages quickly has left eight of them: it does not say so."""
    browser = login_as("supervisor")
    streams = [Stream(browser) for _ in range(screen.OF_ONE + 1)]
    assert streams[0].rest().endswith(f"retry: {screen.LATER}\n\n")
    publish("calls")
    assert [stream.next()[2] for stream in streams[1:]] == ["calls"] * screen.OF_ONE
    for stream in streams:
        stream.close()


def test_a_page_that_takes_nothing_is_given_up(app, login_as, monkeypatch) -> None:
    monkeypatch.setattr(screen, "FULL", -1)
    stream = Stream(login_as("supervisor"))
    stream.rest()
    stream.close()
    until(lambda: not app.extensions["live"]._open)


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


def test_a_stream_ends_so_that_rights_are_looked_at_again(app, login_as, monkeypatch) -> None:
    monkeypatch.setattr(screen, "LASTS", 0.0)
    stream = Stream(login_as("supervisor"))
    assert "event: topic" not in stream.rest()
    stream.close()
    until(lambda: not app.extensions["live"]._open)


def test_clearing_does_not_begin_the_numbers_again(settings) -> None:
    newest = publish("calls")
    LiveEvent.update(at=live.clock.now() - 2 * live.KEPT).execute()
    live.clear()
    assert publish("calls") == newest + 1
