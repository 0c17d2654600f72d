"""The floor: what goes on now, and what a supervisor may do without an exchange that answers."""

import datetime as dt
import re

import pytest

from appliance import calls, clock, devices, plan, staff
from appliance.calls import CallFacts, RingFacts, TalkFacts, VisitFacts
from appliance.db import writing
from appliance.devices import Seen
from appliance.models import AuditEntry, Presence


def call(number: int, wait: float | None = None, **known) -> CallFacts:
    """Write down a call; `wait`: seconds since it joined the queue and nobody answered."""
    now = clock.now()
    facts = CallFacts(f"1764.{number}", "inbound", now - dt.timedelta(seconds=90), **known)
    facts.caller, facts.trunk = f"+9989350000{number:02}", "carrier"
    if wait is not None:
        facts.visits = [VisitFacts("uz", now - dt.timedelta(seconds=wait))]
    with writing():
        calls.store(facts, short_abandon=5)
    return facts


def ring(facts: CallFacts, login: str, since: float) -> None:
    began = clock.now() - dt.timedelta(seconds=since)
    facts.visits[-1].rings = [RingFacts(login, "1001", began)]
    with writing():
        calls.store(facts, short_abandon=5)


def talk(facts: CallFacts, login: str, since: float) -> None:
    answered = clock.now() - dt.timedelta(seconds=since)
    joined = answered - dt.timedelta(seconds=10)
    facts.visits = [VisitFacts("uz", joined, answered, "answered")]
    facts.talks = [TalkFacts("operator", login, "1001", answered)]
    with writing():
        calls.store(facts, short_abandon=5)


def text(page: str, id: str) -> str:
    """What is read of the element with that id."""
    part = re.search(rf'<(tr|li|div|section)[^>]* id="{id}".*?</\1>', page, re.DOTALL)
    assert part, id
    return " ".join(re.sub(r"<[^>]+>", " ", part[0].split(">", 1)[1]).split())


@pytest.mark.usefixtures("at_noon")
def test_each_call_is_told_with_its_stage_and_since(login_as) -> None:
    call(1)
    call(2, wait=12)
    ring(call(3, wait=33), "nilufar", since=3)
    talk(call(4), "sardor", since=65)
    ended = call(5)
    ended.ended_at, ended.outcome = clock.now(), "abandoned_menu"
    with writing():
        calls.store(ended, 5)
    page = login_as("supervisor").get("/floor/calls").text
    assert "Menyuda 1:30" in text(page, "live-1764-1")
    assert "Kutmoqda 0:12" in text(page, "live-1764-2")
    assert "Jiringlamoqda 0:33 – Nilufar Karimova" in text(page, "live-1764-3")
    assert "Suhbat 1:05 – Sardor Ergashev" in text(page, "live-1764-4")
    assert "live-1764-5" not in page


def test_queues_joined_one_after_the_other_are_one_wait(settings) -> None:
    facts = call(1, wait=50)
    first = facts.visits[0]
    first.left_at, first.result = clock.now() - dt.timedelta(seconds=20), "overflow"
    facts.visits.append(VisitFacts("any", first.left_at))
    with writing():
        calls.store(facts, 5)
    (one,) = calls.going_on()
    assert (one.stage, one.queue) == ("queue", "any")
    assert one.waits_since == first.joined_at


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(("wait", "state"), [(5, "ok"), (27, "warn")])
def test_the_promise_is_watched_before_it_breaks(login_as, wait: float, state: str) -> None:
    done = call(1)
    talk(done, "sardor", since=30)
    done.ended_at, done.outcome = clock.now(), "answered"
    with writing():
        calls.store(done, 5)
    call(2, wait=wait)
    page = login_as("manager").get("/floor/figures").text
    assert f'class="sub {state}"' in page
    assert "10,0" in page


def test_a_pause_tells_why_and_a_phone_that_it_is_off(login_as, nilufar, sardor) -> None:
    staff.choose_state(nilufar, "pause", reason=staff.NO_ANSWER, by="asterisk")
    staff.choose_state(sardor, "ready")
    devices.see([Seen("1001", "phone", True, 0), Seen("1002", "phone", False, 0)])
    page = login_as("supervisor").get("/floor/operators").text
    assert "Javobsiz" in text(page, "desk-nilufar")
    assert "Telefon ulanmagan" not in text(page, "desk-nilufar")
    assert "Telefon ulanmagan" in text(page, "desk-sardor")


def test_trunks_are_told_as_seen_and_what_changed_is_published(login_as, settings) -> None:
    assert devices.see([Seen("carrier", "trunk", True, 3)]) == ["carrier"]
    assert not devices.see([Seen("carrier", "trunk", True, 3)])
    since = devices.trunks()[0].since
    assert devices.see([Seen("carrier", "trunk", True, 4)])
    assert devices.trunks()[0].since == since
    assert "Soʻralmaydi" in login_as("supervisor").get("/floor/trunks").text
    watched = plan.Trunk("carrier", address="127.9.9.9", channels=30, watched=True)
    plan.save(plan.Plan(trunks=(watched,)), "rustam")
    page = login_as("supervisor").get("/floor/trunks").text
    assert "Aloqada" in page
    assert "4 / 30" in page
    devices.see([Seen("carrier", "trunk", False, 0)])
    assert "Javob bermayapti" in login_as("supervisor").get("/floor/trunks").text
    devices.see([])
    assert devices.trunks() == []


def test_the_exchange_is_silent_a_pause_is_kept_and_said(login_as, nilufar) -> None:
    staff.choose_state(nilufar, "ready")
    browser = login_as("supervisor")
    assert "Stansiya javob bermayapti" in browser.send("/floor/operators/nilufar/pause").text
    state = staff.state_of(nilufar)
    assert (state.state, state.reason, state.by) == ("pause", staff.FORCED, "dilnoza")
    entry = AuditEntry.get(AuditEntry.action == "operator.state")
    assert (entry.who, entry.subject) == ("dilnoza", "nilufar")
    assert "tanaffusga" in login_as("nilufar").get("/operator/paused").text


def test_listening_needs_a_reason_and_is_not_audited_when_refused(login_as) -> None:
    browser = login_as("supervisor")
    answer = browser.send("/floor/operators/nilufar/listen", reason="curiosity")
    assert "sababini" in answer.text
    browser.send("/floor/operators/nilufar/listen", reason="quality")
    assert not AuditEntry.get_or_none(AuditEntry.action == "supervise.listen")
    assert browser.send("/floor/operators/nobody/listen", reason="quality").status_code == 404


def test_a_phone_not_taken_up_pauses_only_who_was_ready(settings, nilufar, sardor) -> None:
    from appliance.pbx.actions import states

    assert not states.not_answered("PJSIP/1001", clock.now())
    staff.choose_state(nilufar, "ready")
    chosen = staff.state_of(nilufar).since
    assert not states.not_answered("PJSIP/1001", chosen - dt.timedelta(seconds=1))
    assert states.not_answered("PJSIP/1001", chosen + dt.timedelta(seconds=1))
    assert staff.state_of(nilufar).reason == staff.NO_ANSWER
    assert not states.not_answered("PJSIP/1001", clock.now())
    assert Presence.select().count() == 2
