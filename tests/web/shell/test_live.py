"""The event stream: who receives which topics, from which event on, and what after a gap."""

import re
import threading
from collections.abc import Iterator

import pytest

from appliance.core import db, live
from appliance.models import LiveEvent
from appliance.people import presence
from appliance.web.shell import streams as screen
from tests.rig.streams import TopicStream
from tests.rig.waiting import wait_until


@pytest.fixture
def listen(login_as) -> Iterator:
    streams = []

    def open_stream(role: str, *args, **kwargs) -> TopicStream:
        streams.append(TopicStream(login_as(role), *args, **kwargs))
        return streams[-1]

    yield open_stream
    for stream in streams:
        stream.close()


def publish_topics(*topics: str) -> int:
    with db.write_transaction():
        live.publish_topics(*topics)
    return live.newest_event_id()


def test_a_topic_is_sent_to_the_stream(listen) -> None:
    stream = listen("supervisor")
    number = publish_topics("calls")
    assert stream.next_event() == (str(number), "topic", "calls")
    publish_topics("operators")
    assert stream.next_event()[1:] == ("topic", "operators")


def test_an_event_between_the_page_and_its_stream_is_sent(listen) -> None:
    rendered_at = live.newest_event_id()
    publish_topics("calls")
    stream = listen("supervisor", f"/live?after={rendered_at}")
    assert stream.next_event()[1] in ("topic", "refresh")


@pytest.mark.parametrize(
    ("who", "topics"),
    [
        ("nilufar", ["calls", "operator"]),
        ("sardor", ["calls", "operator"]),
        ("supervisor", ["calls", "operators"]),
        ("manager", ["calls", "operators"]),
        ("ministry", ["appeals"]),
    ],
)
def test_each_user_receives_only_their_topics(listen, who, topics) -> None:
    stream = listen(who)
    own_topic = {"operator": f"operator:{who}"}.get(topics[-1], topics[-1])
    other = "operator:sardor" if who == "nilufar" else "operator:nilufar"
    publish_topics(other, "calls", "operators", own_topic, "secret")
    events = [stream.next_event() for _ in topics]
    assert [data for _, _, data in events] == topics
    publish_topics(own_topic)
    assert stream.next_event()[2] == topics[-1]  # nothing else was sent in between


def test_an_operator_receives_events_of_their_own_call_only(listen) -> None:
    stream = listen("nilufar")
    publish_topics("call:sardor", "call:nilufar")
    assert stream.next_event()[1:] == ("topic", "call")


def test_a_call_event_refreshes_only_the_sections_that_show_it(login_as) -> None:
    page = login_as("operator").get("/operator").text
    live_sections = re.findall(r'data-live="([^"]*)" hx-get="([^"?]*)', page)
    of_call = {address for topics, address in live_sections if "call" in topics.split()}
    assert {"/operator/bar", "/operator/state", "/operator/figures"} <= of_call
    assert "/appeals/returned" not in of_call
    assert "/callbacks/mine" not in of_call
    assert all(
        "operator" in topics.split() for topics, address in live_sections if address in of_call
    )


def test_a_new_state_is_sent_to_the_operator_and_the_leads(listen, nilufar) -> None:
    operator, leads = listen("nilufar"), listen("supervisor")
    presence.choose_state(nilufar, "ready")
    assert operator.next_event()[2] == "operator"
    assert leads.next_event()[2] == "operators"


def test_other_roles_have_no_stream(login_as) -> None:
    browser = login_as("backup")
    assert browser.get("/live").status_code == 403
    assert '<meta name="live"' not in browser.get("/account").text


def test_a_reconnected_stream_receives_missed_topics(listen) -> None:
    first = listen("supervisor")
    last_number = publish_topics("calls")
    first.next_event()
    first.close()
    publish_topics("operators")
    watcher = listen("manager", last_event_id=str(last_number))
    assert watcher.next_event()[2] == "operators"


def test_a_stream_that_missed_deleted_events_refreshes_everything(listen) -> None:
    publish_topics("calls")
    publish_topics("calls")
    assert listen("supervisor", last_event_id="1").next_event()[1] == "refresh"


def test_a_stream_older_than_the_database_refreshes_everything(listen) -> None:
    assert listen("supervisor", last_event_id="99999").next_event()[1] == "refresh"


def test_an_event_sent_late_is_sent_once(listen) -> None:
    prompt = listen("manager")
    before = live.newest_event_id()
    publish_topics("calls", "calls", "operators")
    while prompt.next_event()[2] != "operators":
        pass
    late = listen("supervisor", f"/live?after={before}")
    assert [late.next_event()[2], late.next_event()[2]] == ["calls", "operators"]


def test_a_stream_wakes_only_for_its_own_topics(listen, monkeypatch) -> None:
    woken = []
    write = screen.EventStream.send_topics
    monkeypatch.setattr(
        screen.EventStream,
        "send_topics",
        lambda stream, newest: woken.append(stream.user_id) or write(stream, newest),
    )
    stream = listen("ministry")
    assert stream.read_text().endswith("event: beat\ndata:")
    assert len(woken) == 1  # when it began
    for topic in ("calls", "operators", "calls"):
        publish_topics(topic)
    publish_topics("links")
    assert stream.next_event()[2] == "links"
    assert len(woken) == 2


def test_simultaneous_events_are_sent_once_per_topic(listen) -> None:
    stream = listen("supervisor")
    newest = publish_topics("calls", "operators", "calls", "calls")
    assert stream.next_event() == (str(newest), "topic", "calls")
    assert stream.next_event() == (str(newest), "topic", "operators")
    publish_topics("links")
    assert stream.next_event()[2] == "links"


def test_a_stream_occupies_no_thread_and_no_connection(login_as) -> None:
    browser = login_as("supervisor")
    streams = [TopicStream(browser)]
    before = threading.active_count()
    assert db.database.is_closed()
    streams += [TopicStream(browser) for _ in range(screen.MAX_STREAMS_PER_USER - 1)]
    publish_topics("calls")
    assert {stream.next_event()[2] for stream in streams} == {"calls"}
    assert threading.active_count() == before
    for stream in streams:
        stream.close()


def test_the_number_of_streams_is_limited(app, login_as, monkeypatch) -> None:
    monkeypatch.setattr(app.extensions["live"], "_max_streams", 1)
    browser, other = login_as("supervisor"), login_as("manager")
    stream = TopicStream(browser)
    assert browser.get("/live").status_code == 503
    assert other.get("/live").status_code == 503
    assert browser.get("/calls").status_code == 200
    stream.close()
    wait_until(lambda: other.get("/live").status_code == 200)


def test_a_request_that_is_no_stream_occupies_no_place(app, login_as) -> None:
    """Requested without a socket, as by HEAD."""
    browser = login_as("supervisor")
    for ask in (browser.get, browser.head):
        assert ask("/live").status_code == 200
    assert not app.extensions["live"]._user_streams


def test_the_newest_page_is_live_and_the_oldest_retries_later(login_as) -> None:
    """A browser that went through nine pages quickly has left eight of them without
    reporting it.
    """
    browser = login_as("supervisor")
    streams = [TopicStream(browser) for _ in range(screen.MAX_STREAMS_PER_USER + 1)]
    assert streams[0].read_rest().endswith(f"retry: {screen.REPLACED_RETRY_MILLISECONDS}\n\n")
    publish_topics("calls")
    assert [stream.next_event()[2] for stream in streams[1:]] == [
        "calls"
    ] * screen.MAX_STREAMS_PER_USER
    for stream in streams:
        stream.close()


def test_a_stream_that_is_not_read_is_closed(app, login_as, monkeypatch) -> None:
    monkeypatch.setattr(screen, "MAX_UNSENT_BYTES", -1)
    stream = TopicStream(login_as("supervisor"))
    stream.read_rest()
    stream.close()
    wait_until(lambda: not app.extensions["live"]._user_streams)


@pytest.mark.parametrize("after", ["-1", "x", "\u0663", "9" * 30, "9" * 5000, "1e3"])
def test_an_invalid_event_number_is_ignored(login_as, after) -> None:
    stream = TopicStream(login_as("supervisor"), f"/live?after={after}")
    publish_topics("calls")
    assert stream.next_event()[2] == "calls"
    stream.close()


def test_heartbeats_are_sent_while_nothing_happens(login_as, monkeypatch) -> None:
    monkeypatch.setattr(screen, "HEARTBEAT_SECONDS", 0.05)
    stream = TopicStream(login_as("supervisor"))
    texts = [stream.read_text() for _ in range(4)]
    assert sum("event: beat" in text for text in texts) >= 2
    stream.close()


def test_a_stream_ends_so_that_rights_are_checked_again(app, login_as, monkeypatch) -> None:
    monkeypatch.setattr(screen, "MAX_STREAM_SECONDS", 0.0)
    stream = TopicStream(login_as("supervisor"))
    assert "event: topic" not in stream.read_rest()
    stream.close()
    wait_until(lambda: not app.extensions["live"]._user_streams)


def test_clearing_does_not_restart_the_event_numbers(settings) -> None:
    newest = publish_topics("calls")
    LiveEvent.update(at=live.clock.now() - 2 * live.EVENT_RETENTION).execute()
    live.clear_old_events()
    assert publish_topics("calls") == newest + 1
