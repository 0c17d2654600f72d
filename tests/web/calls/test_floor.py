"""The floor: current activity, and a supervisor's actions while the exchange does not answer."""

import datetime as dt
import re
from contextlib import closing

import pytest

from appliance.core import clock, db
from appliance.core.db import write_transaction
from appliance.models import AuditEntry, Presence, User
from appliance.people import accounts, pauses, presence
from appliance.telephony import calls, devices, routing
from appliance.telephony.calls import CallFacts, RingFacts, TalkFacts, VisitFacts
from appliance.telephony.devices import DeviceState
from tests.rig.people import PASSWORD
from tests.rig.rules import RULES
from tests.rig.streams import TopicStream


def store_call(number: int, wait: float | None = None, **fields) -> CallFacts:
    """Store a call; `wait`: seconds since it joined the queue unanswered."""
    now = clock.now()
    facts = CallFacts(f"1764.{number}", "inbound", now - dt.timedelta(seconds=90), **fields)
    facts.caller, facts.trunk = f"+9989350000{number:02}", "carrier"
    if wait is not None:
        facts.visits = [VisitFacts("uz", now - dt.timedelta(seconds=wait))]
    with write_transaction():
        calls.store_call(facts, RULES)
    return facts


def store_ring(facts: CallFacts, login: str, since: float) -> None:
    began = clock.now() - dt.timedelta(seconds=since)
    facts.visits[-1].rings = [RingFacts(login, "1001", began)]
    with write_transaction():
        calls.store_call(facts, RULES)


def store_talk(facts: CallFacts, login: str, since: float) -> None:
    answered = clock.now() - dt.timedelta(seconds=since)
    joined = answered - dt.timedelta(seconds=10)
    facts.visits = [VisitFacts("uz", joined, answered, "answered")]
    facts.talks = [TalkFacts("operator", login, "1001", answered)]
    with write_transaction():
        calls.store_call(facts, RULES)


def element_text(page: str, id: str) -> str:
    """Return the visible text of the element with that id."""
    element = re.search(rf'<(tr|li|div|section|a)[^>]* id="{id}".*?</\1>', page, re.DOTALL)
    assert element, id
    return " ".join(re.sub(r"<[^>]+>", " ", element[0].split(">", 1)[1]).split())


@pytest.mark.usefixtures("at_noon")
def test_each_call_is_shown_with_its_stage_and_duration(login_as) -> None:
    store_call(1)
    store_call(2, wait=12)
    store_ring(store_call(3, wait=33), "nilufar", since=3)
    store_talk(store_call(4), "sardor", since=65)
    ended = store_call(5)
    ended.ended_at, ended.outcome = clock.now(), "abandoned_menu"
    with write_transaction():
        calls.store_call(ended, RULES)
    page = login_as("supervisor").get("/floor/calls").text
    assert "Menyuda 1:30" in element_text(page, "live-1764-1")
    assert "Kutmoqda 0:12" in element_text(page, "live-1764-2")
    assert "Jiringlamoqda 0:33 – Nilufar Karimova" in element_text(page, "live-1764-3")
    assert "Suhbat 1:05 – Sardor Ergashev" in element_text(page, "live-1764-4")
    assert "live-1764-5" not in page


def test_consecutive_queues_count_as_one_wait(settings) -> None:
    facts = store_call(1, wait=50)
    first = facts.visits[0]
    first.left_at, first.result = clock.now() - dt.timedelta(seconds=20), "overflow"
    facts.visits.append(VisitFacts("any", first.left_at))
    with write_transaction():
        calls.store_call(facts, RULES)
    (live_call,) = calls.live_calls()
    assert (live_call.stage, live_call.queue) == ("queue", "any")
    assert live_call.waiting_since == first.joined_at


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(("wait", "state"), [(5, "ok"), (27, "warn")])
def test_a_service_level_at_risk_is_shown_in_advance(login_as, wait: float, state: str) -> None:
    done = store_call(1)
    store_talk(done, "sardor", since=30)
    done.ended_at, done.outcome = clock.now(), "answered"
    with write_transaction():
        calls.store_call(done, RULES)
    store_call(2, wait=wait)
    page = login_as("manager").get("/floor/figures").text
    assert f'class="sub {state}"' in page
    assert "10,0" in page


def test_a_pause_shows_its_reason_and_a_phone_that_it_is_offline(login_as, nilufar, sardor) -> None:
    presence.choose_state(nilufar, "pause", reason=presence.NO_ANSWER, by="asterisk")
    presence.choose_state(sardor, "ready")
    accounts.record_seen(sardor)  # their page is open
    devices.store_states(
        [DeviceState("1001", "phone", True, 0), DeviceState("1002", "phone", False, 0)]
    )
    page = login_as("supervisor").get("/floor/operators").text
    assert "Javobsiz" in element_text(page, "desk-nilufar")
    assert "telefonsiz" not in element_text(page, "desk-nilufar")
    assert "telefonsiz" in element_text(page, "desk-sardor")
    browser = login_as("supervisor")
    assert "Telefon ulanmagan" not in browser.get("/floor/operators/nilufar").text
    assert "Telefon ulanmagan" in browser.get("/floor/operators/sardor").text


def test_a_pause_for_a_reason_has_its_own_limit(login_as, nilufar, sardor) -> None:
    presence.choose_state(nilufar, "pause", reason="training")
    presence.choose_state(sardor, "pause", reason="lunch")
    pauses.set_limits({"lunch": 60}, "rustam")
    devices.store_states(
        [DeviceState("1001", "phone", True, 0), DeviceState("1002", "phone", True, 0)]
    )
    page = login_as("supervisor").get("/floor/operators").text
    assert "Oʻqish" in element_text(page, "desk-nilufar")
    assert "Tushlik" in element_text(page, "desk-sardor")
    limits = re.findall(r'<meter[^>]*max="([\d.]+)"', page)
    assert [round(float(limit), -1) for limit in limits] == [3600]  # training has no limit


def test_an_operator_in_back_office_can_be_set_ready(login_as, nilufar) -> None:
    presence.choose_state(nilufar, "back_office")
    browser = login_as("supervisor")
    assert "Navbatdan tashqari ish" in browser.get("/floor/operators").text
    assert 'id="ready-nilufar"' in browser.get("/floor/operators/nilufar").text
    browser.send("/floor/operators/nilufar/ready")
    assert presence.states_by_login()["nilufar"] == "ready"


def test_trunk_states_are_shown_and_changes_reported(login_as, settings) -> None:
    assert devices.store_states([DeviceState("carrier", "trunk", True, 3)]) == {"carrier": False}
    assert not devices.store_states([DeviceState("carrier", "trunk", True, 3)])
    since = devices.list_trunks()[0].since
    assert devices.store_states([DeviceState("carrier", "trunk", True, 4)]) == {"carrier": True}
    assert devices.list_trunks()[0].since == since
    assert "Soʻralmaydi" in login_as("supervisor").get("/floor/trunks").text
    watched = routing.Trunk("carrier", address="127.9.9.9", channels=30, watched=True)
    routing.save_plan(routing.Plan(trunks=(watched,)), "rustam")
    page = login_as("supervisor").get("/floor/trunks").text
    assert "Aloqada" in page
    assert "4 / 30" in page
    devices.store_states([DeviceState("carrier", "trunk", False, 0)])
    assert "Javob bermayapti" in login_as("supervisor").get("/floor/trunks").text
    devices.store_states([])
    assert devices.list_trunks() == []


def test_a_forced_pause_is_saved_although_the_exchange_does_not_answer(login_as, nilufar) -> None:
    presence.choose_state(nilufar, "ready")
    browser = login_as("supervisor")
    assert "Stansiya javob bermayapti" in browser.send("/floor/operators/nilufar/pause").text
    state = presence.state_of(nilufar)
    assert (state.state, state.reason, state.by) == ("pause", presence.FORCED, "dilnoza")
    entry = AuditEntry.get(AuditEntry.action == "operator.state")
    assert (entry.who, entry.subject) == ("dilnoza", "nilufar")
    assert "tanaffusga" in login_as("nilufar").get("/operator/paused").text


@pytest.mark.usefixtures("at_noon")
def test_operators_are_grouped_by_state_with_language_and_time_limit(login_as) -> None:
    wrapped = routing.Plan(queueing=routing.Queueing(wrap_up=30))
    routing.save_plan(wrapped, "rustam")
    people = [add_operator(number) for number in range(7)]
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
    store_talk(store_call(3), "op3", since=601)
    ended_call = store_call(4)
    store_talk(ended_call, "op4", since=90)
    ended_call.talks[0].ended_at = ended_call.ended_at = clock.now() - dt.timedelta(seconds=12)
    with write_transaction():
        calls.store_call(ended_call, RULES)
    store_ring(store_call(5, wait=21), "op5", since=4)
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
    assert "Oʻzb" in element_text(page, "desk-op0")
    assert "Rus" not in element_text(page, "desk-op0")
    assert "Rus" in element_text(page, "desk-op1")
    assert "0:12" in element_text(page, "desk-op4")
    folded = page.split('id="off-duty"')[1]
    assert "op6" in folded  # off duty


def add_operator(number: int) -> User:
    speaks = ("uz", "ru") if number % 2 else ("uz",)
    phone = {"extension": f"{1100 + number}", "speaks": speaks}
    return accounts.create_account(
        f"op{number}", f"Operator {number}", "operator", PASSWORD, **phone
    )


def test_hanging_up_asks_first_and_ends_only_that_talk(login_as) -> None:
    store_talk(store_call(1), "nilufar", since=65)
    browser = login_as("supervisor")
    page = browser.get("/floor?who=nilufar").text
    button = re.search(r'<button[^>]*id="hang-up-nilufar"[^>]*>', page)
    assert button
    assert "hx-post" not in button[0]
    assert "danger" in button[0]
    dialog = re.search(r'<div class="dialog ask" id="ask-1764-1".*?</div></div>', page, re.DOTALL)
    assert dialog
    assert 'value="1764.1"' in dialog[0]
    ended = calls.CallFacts("1764.1", "inbound", clock.now() - dt.timedelta(seconds=90))
    ended.ended_at, ended.outcome = clock.now(), "answered"
    with write_transaction():
        calls.store_call(ended, RULES)
    store_talk(store_call(2), "nilufar", since=1)  # the next caller
    answer = browser.send("/floor/operators/nilufar/hang-up", call="1764.1")
    assert "allaqachon tugagan" in answer.text
    answer = browser.send("/floor/operators/nilufar/hang-up", call="1764.2")
    assert "Stansiya javob bermayapti" in answer.text


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(("wait", "kind"), [(5, "ok"), (25, "bad")])
def test_a_service_level_below_its_target_is_red(login_as, wait: float, kind: str) -> None:
    with write_transaction():
        for number in range(30):
            done = CallFacts(f"1.{number}", "inbound", clock.now() - dt.timedelta(seconds=90))
            answered = done.arrived_at + dt.timedelta(seconds=wait)
            done.visits = [VisitFacts("uz", done.arrived_at, answered, "answered")]
            done.talks = [TalkFacts("operator", "sardor", "1002", answered, clock.now())]
            done.ended_at, done.outcome = clock.now(), "answered"
            calls.store_call(done, RULES)
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


def test_an_unanswered_phone_pauses_only_a_ready_operator(settings, nilufar, sardor) -> None:
    from appliance.pbx.actions import states

    assert not states.pause_unanswered_phone("PJSIP/1001", clock.now())
    presence.choose_state(nilufar, "ready")
    ready_since = presence.state_of(nilufar).since
    assert not states.pause_unanswered_phone("PJSIP/1001", ready_since - dt.timedelta(seconds=1))
    assert states.pause_unanswered_phone("PJSIP/1001", ready_since + dt.timedelta(seconds=1))
    assert presence.state_of(nilufar).reason == presence.NO_ANSWER
    assert not states.pause_unanswered_phone("PJSIP/1001", clock.now())
    assert Presence.select().count() == 2


def test_all_viewers_and_fragments_of_the_floor_share_one_count(login_as, monkeypatch) -> None:
    counted, real = [], calls.live_calls
    monkeypatch.setattr(calls, "live_calls", lambda: counted.append(1) or real())
    leads = [login_as("supervisor"), login_as("manager")]
    pieces = "&".join(f"at=/floor/{name}" for name in ("calls", "waiting", "figures", "operators"))
    with closing(TopicStream(leads[0])) as stream:
        for number in (1, 2):
            store_call(number, wait=12)
            assert stream.next_event()[2] == "calls"
            for lead in leads:
                answer = lead.get(f"/pieces?{pieces}", headers={"HX-Request": "true"})
                fragments = answer.json
                assert fragments[0].count('<tr id="live-') == number
                assert f"<dd>{number}</dd>" in fragments[2]
        assert len(counted) == 2


def test_live_calls_take_the_same_number_of_queries_for_any_number_of_calls(
    settings, monkeypatch
) -> None:
    statements, real = [], db.database.execute_sql
    monkeypatch.setattr(
        db.database, "execute_sql", lambda sql, *rest: statements.append(sql) or real(sql, *rest)
    )

    def query_count() -> int:
        statements.clear()
        calls.live_calls()
        return len(statements)

    store_call(1, wait=12)
    count_for_one = query_count()
    for number in range(2, 30):
        store_talk(store_call(number), "sardor", since=65)
    assert query_count() == count_for_one == 4
