"""The floor: what goes on now, and what a supervisor may do without an exchange that answers."""

import datetime as dt
import re
from contextlib import closing

import pytest

from appliance.core import clock, db
from appliance.core.db import writing
from appliance.models import AuditEntry, Presence, User
from appliance.people import accounts, pauses, presence
from appliance.telephony import calls, devices, routing
from appliance.telephony.calls import CallFacts, RingFacts, TalkFacts, VisitFacts
from appliance.telephony.devices import Seen
from tests.rig.people import PASSWORD
from tests.rig.rules import RULES
from tests.rig.streams import Stream


def call(number: int, wait: float | None = None, **known) -> CallFacts:
    """Write down a call; `wait`: seconds since it joined the queue and nobody answered."""
    now = clock.now()
    facts = CallFacts(f"1764.{number}", "inbound", now - dt.timedelta(seconds=90), **known)
    facts.caller, facts.trunk = f"+9989350000{number:02}", "carrier"
    if wait is not None:
        facts.visits = [VisitFacts("uz", now - dt.timedelta(seconds=wait))]
    with writing():
        calls.store(facts, RULES)
    return facts


def ring(facts: CallFacts, login: str, since: float) -> None:
    began = clock.now() - dt.timedelta(seconds=since)
    facts.visits[-1].rings = [RingFacts(login, "1001", began)]
    with writing():
        calls.store(facts, RULES)


def talk(facts: CallFacts, login: str, since: float) -> None:
    answered = clock.now() - dt.timedelta(seconds=since)
    joined = answered - dt.timedelta(seconds=10)
    facts.visits = [VisitFacts("uz", joined, answered, "answered")]
    facts.talks = [TalkFacts("operator", login, "1001", answered)]
    with writing():
        calls.store(facts, RULES)


def text(page: str, id: str) -> str:
    """What is read of the element with that id."""
    part = re.search(rf'<(tr|li|div|section|a)[^>]* id="{id}".*?</\1>', page, re.DOTALL)
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
        calls.store(ended, RULES)
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
        calls.store(facts, RULES)
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
        calls.store(done, RULES)
    call(2, wait=wait)
    page = login_as("manager").get("/floor/figures").text
    assert f'class="sub {state}"' in page
    assert "10,0" in page


def test_a_pause_tells_why_and_a_phone_that_it_is_off(login_as, nilufar, sardor) -> None:
    presence.choose_state(nilufar, "pause", reason=presence.NO_ANSWER, by="asterisk")
    presence.choose_state(sardor, "ready")
    accounts.see(sardor)  # his page is open
    devices.see([Seen("1001", "phone", True, 0), Seen("1002", "phone", False, 0)])
    page = login_as("supervisor").get("/floor/operators").text
    assert "Javobsiz" in text(page, "desk-nilufar")
    assert "telefonsiz" not in text(page, "desk-nilufar")
    assert "telefonsiz" in text(page, "desk-sardor")
    browser = login_as("supervisor")
    assert "Telefon ulanmagan" not in browser.get("/floor/operators/nilufar").text
    assert "Telefon ulanmagan" in browser.get("/floor/operators/sardor").text


def test_a_pause_for_a_reason_has_its_own_limit(login_as, nilufar, sardor) -> None:
    presence.choose_state(nilufar, "pause", reason="training")
    presence.choose_state(sardor, "pause", reason="lunch")
    pauses.limit({"lunch": 60}, "rustam")
    devices.see([Seen("1001", "phone", True, 0), Seen("1002", "phone", True, 0)])
    page = login_as("supervisor").get("/floor/operators").text
    assert "Oʻqish" in text(page, "desk-nilufar")
    assert "Tushlik" in text(page, "desk-sardor")
    limits = re.findall(r'<meter[^>]*max="([\d.]+)"', page)
    assert [round(float(limit), -1) for limit in limits] == [3600]  # training has none


def test_who_works_off_the_queue_can_be_made_ready(login_as, nilufar) -> None:
    presence.choose_state(nilufar, "back_office")
    browser = login_as("supervisor")
    assert "Navbatdan tashqari ish" in browser.get("/floor/operators").text
    assert 'id="ready-nilufar"' in browser.get("/floor/operators/nilufar").text
    browser.send("/floor/operators/nilufar/ready")
    assert presence.states()["nilufar"] == "ready"


def test_trunks_are_told_as_seen_and_what_changed_is_published(login_as, settings) -> None:
    assert devices.see([Seen("carrier", "trunk", True, 3)]) == {"carrier": False}
    assert not devices.see([Seen("carrier", "trunk", True, 3)])
    since = devices.trunks()[0].since
    assert devices.see([Seen("carrier", "trunk", True, 4)]) == {"carrier": True}
    assert devices.trunks()[0].since == since
    assert "Soʻralmaydi" in login_as("supervisor").get("/floor/trunks").text
    watched = routing.Trunk("carrier", address="127.9.9.9", channels=30, watched=True)
    routing.save(routing.Plan(trunks=(watched,)), "rustam")
    page = login_as("supervisor").get("/floor/trunks").text
    assert "Aloqada" in page
    assert "4 / 30" in page
    devices.see([Seen("carrier", "trunk", False, 0)])
    assert "Javob bermayapti" in login_as("supervisor").get("/floor/trunks").text
    devices.see([])
    assert devices.trunks() == []


def test_the_exchange_is_silent_a_pause_is_kept_and_said(login_as, nilufar) -> None:
    presence.choose_state(nilufar, "ready")
    browser = login_as("supervisor")
    assert "Stansiya javob bermayapti" in browser.send("/floor/operators/nilufar/pause").text
    state = presence.state_of(nilufar)
    assert (state.state, state.reason, state.by) == ("pause", presence.FORCED, "dilnoza")
    entry = AuditEntry.get(AuditEntry.action == "operator.state")
    assert (entry.who, entry.subject) == ("dilnoza", "nilufar")
    assert "tanaffusga" in login_as("nilufar").get("/operator/paused").text


@pytest.mark.usefixtures("at_noon")
def test_operators_stand_by_state_with_language_and_time_against_its_limit(login_as) -> None:
    wrapped = routing.Plan(queueing=routing.Queueing(wrap_up=30))
    routing.save(wrapped, "rustam")
    people = [crew(number) for number in range(7)]
    for user, state, seconds in (
        (people[0], "ready", 60),
        (people[1], "pause", 120),
        (people[2], "pause", 901),
        (people[3], "ready", 4000),
        (people[4], "ready", 4000),
        (people[5], "ready", 4000),
    ):
        since = clock.now() - dt.timedelta(seconds=seconds)
        Presence.create(user=user, state=state, since=since, by=user.login)
    talk(call(3), "op3", since=601)
    over = call(4)
    talk(over, "op4", since=90)
    over.talks[0].ended_at = over.ended_at = clock.now() - dt.timedelta(seconds=12)
    with writing():
        calls.store(over, RULES)
    ring(call(5, wait=21), "op5", since=4)
    page = login_as("supervisor").get("/floor/operators").text
    bands = {
        state: re.findall(r'id="desk-(\w+)"', band)
        for state, band in re.findall(r'id="band-(\w+)"(.*?)</section>', page, re.DOTALL)
    }
    assert bands == {
        "ringing": ["op5"],
        "call": ["op3"],
        "wrap_up": ["op4"],
        "ready": ["op0"],
        "pause": ["op1", "op2"],
    }
    cards = dict(re.findall(r'id="desk-(op\d)"([^>]*)>', page))
    assert {who for who, card in cards.items() if "data-over" in card} == {"op2", "op3", "op5"}
    assert "Oʻzb" in text(page, "desk-op0")
    assert "Rus" not in text(page, "desk-op0")
    assert "Rus" in text(page, "desk-op1")
    assert "0:12" in text(page, "desk-op4")
    folded = page.split('id="off-duty"')[1]
    assert "op6" in folded  # off duty


def crew(number: int) -> User:
    speaks = ("uz", "ru") if number % 2 else ("uz",)
    phone = {"extension": f"{1100 + number}", "speaks": speaks}
    return accounts.add(f"op{number}", f"Operator {number}", "operator", PASSWORD, **phone)


def test_hanging_up_asks_and_ends_only_the_talk_that_was_asked_about(login_as) -> None:
    talk(call(1), "nilufar", since=65)
    browser = login_as("supervisor")
    page = browser.get("/floor?who=nilufar").text
    button = re.search(r'<button[^>]*id="hang-up-nilufar"[^>]*>', page)
    assert button
    assert "hx-post" not in button[0]
    assert "danger" in button[0]
    asked = re.search(r'<div class="dialog ask" id="ask-1764-1".*?</div></div>', page, re.DOTALL)
    assert asked
    assert 'value="1764.1"' in asked[0]
    ended = calls.CallFacts("1764.1", "inbound", clock.now() - dt.timedelta(seconds=90))
    ended.ended_at, ended.outcome = clock.now(), "answered"
    with writing():
        calls.store(ended, RULES)
    talk(call(2), "nilufar", since=1)  # the next caller
    answer = browser.send("/floor/operators/nilufar/hang-up", call="1764.1")
    assert "allaqachon tugagan" in answer.text
    answer = browser.send("/floor/operators/nilufar/hang-up", call="1764.2")
    assert "Stansiya javob bermayapti" in answer.text


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(("wait", "kind"), [(5, "ok"), (25, "bad")])
def test_a_service_level_under_its_goal_is_red(login_as, wait: float, kind: str) -> None:
    with writing():
        for number in range(30):
            done = CallFacts(f"1.{number}", "inbound", clock.now() - dt.timedelta(seconds=90))
            answered = done.arrived_at + dt.timedelta(seconds=wait)
            done.visits = [VisitFacts("uz", done.arrived_at, answered, "answered")]
            done.talks = [TalkFacts("operator", "sardor", "1002", answered, clock.now())]
            done.ended_at, done.outcome = clock.now(), "answered"
            calls.store(done, RULES)
    page = login_as("manager").get("/floor/figures").text
    demanded = re.search(r'class="sub (\w*)">(?:(?!</dd>).)*talab', page, re.DOTALL)
    assert demanded
    assert demanded[1] == kind


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
    presence.choose_state(nilufar, "ready")
    chosen = presence.state_of(nilufar).since
    assert not states.not_answered("PJSIP/1001", chosen - dt.timedelta(seconds=1))
    assert states.not_answered("PJSIP/1001", chosen + dt.timedelta(seconds=1))
    assert presence.state_of(nilufar).reason == presence.NO_ANSWER
    assert not states.not_answered("PJSIP/1001", clock.now())
    assert Presence.select().count() == 2


def test_pieces_of_the_floor_and_all_who_look_at_it_share_one_count(login_as, monkeypatch) -> None:
    counted, real = [], calls.going_on
    monkeypatch.setattr(calls, "going_on", lambda: counted.append(1) or real())
    leads = [login_as("supervisor"), login_as("manager")]
    pieces = "&".join(f"at=/floor/{name}" for name in ("calls", "waiting", "figures", "operators"))
    with closing(Stream(leads[0])) as stream:
        for number in (1, 2):
            call(number, wait=12)
            assert stream.next()[2] == "calls"
            for lead in leads:
                answer = lead.get(f"/pieces?{pieces}", headers={"HX-Request": "true"})
                shown = answer.json
                assert shown[0].count('<tr id="live-') == number
                assert f"<dd>{number}</dd>" in shown[2]
        assert len(counted) == 2


def test_what_goes_on_is_asked_by_as_many_questions_however_many_calls(
    settings, monkeypatch
) -> None:
    asked, real = [], db.database.execute_sql
    monkeypatch.setattr(
        db.database, "execute_sql", lambda sql, *rest: asked.append(sql) or real(sql, *rest)
    )

    def questions() -> int:
        asked.clear()
        calls.going_on()
        return len(asked)

    call(1, wait=12)
    few = questions()
    for number in range(2, 30):
        talk(call(number), "sardor", since=65)
    assert questions() == few == 4
