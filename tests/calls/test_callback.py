"""Callers who requested a callback are called once, when an operator is free, until a talk.

A real Asterisk and real calls; of our own processes only the two under test run, in the test.
"""

import asyncio
import dataclasses
import itertools
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.core import db
from appliance.core import settings as site_settings
from appliance.core.settings import Outgoing, Settings
from appliance.models import Call as LedgerCall
from appliance.models import FollowUp, User
from appliance.pbx import actions, ami, callback, config
from appliance.pbx.log_follower import LogFollower
from appliance.people import accounts, presence
from appliance.sip import tones
from appliance.sip.call import Call
from appliance.telephony import followups, prompts, routing
from appliance.telephony.routing.plan import FollowUps, Plan
from provisioning.local import asterisk as tree
from provisioning.local.place import Place
from tests.calls.exchange import Exchange, write_silent_prompts
from tests.calls.scene import end_all_calls
from tests.rig.parties import CallParties
from tests.rig.waiting import wait_for, wait_until

pytestmark = pytest.mark.calls

OPERATORS = ("op01", "op02")
_numbers = (f"+99890111{number:04}" for number in itertools.count())


@dataclass
class Stage:
    """The site, the people at its telephones, and the calls that reached the citizens."""

    settings: Settings
    place: Place
    follower: LogFollower
    people: CallParties
    reached_calls: list[Call]

    async def wait_for[T](self, condition: Callable[[], T], limit: float = 30.0) -> T:
        """Wait until the condition is true while the ledger is updated; return its value."""

        def check_updated_ledger() -> T:
            self.follower.read_new_records()
            return condition()

        return await wait_for(check_updated_ledger, limit=limit)

    def set_ready(self, *logins: str) -> None:
        """Set these operators to ready and the others to off."""
        for user in accounts.active_operators():
            presence.choose_state(user, "ready" if user.login in logins else "off")
        actions.apply_states(self.settings)

    async def request_callback(self, number: str) -> FollowUp:
        """Let a citizen wait, press the callback key and be disconnected; return the follow-up."""
        call = self.people.call_hotline(number, tones.CALLERS[0])
        await self.wait_for(lambda: call.up_at)
        call.media.press_keys("1")
        await self.wait_for(lambda: self.ledger_calls(number).filter(stage="queue").first())
        call.media.press_keys("9")
        await self.wait_for(lambda: call.over_at)
        return await self.wait_for(lambda: FollowUp.get_or_none(number=number, closed_at=None))

    def ledger_calls(self, number: str):
        """Select the calls from and to a citizen."""
        is_citizen = (LedgerCall.caller == number) | (LedgerCall.callee == number)
        return LedgerCall.select().where(is_citizen)

    def is_prompted(self, prompt: str, *, is_second_time: bool = False) -> bool:
        """Return True if a caller is asked by this prompt now, for the first or the second time."""
        with ami.Connection(self.settings) as asterisk:
            channels = asterisk.list_events("CoreShowChannels", "CoreShowChannelsComplete")
            for channel in channels:
                if prompt in channel.get("ApplicationData", ""):
                    variable = {"Channel": channel["Channel"], "Variable": "ASKED"}
                    return asterisk.send_action("Getvar", **variable)["Value"] == (
                        "1" if is_second_time else "0"
                    )
        return False

    def run_step(self) -> int:
        """Update the ledger and run one step of the callback machine; return the calls placed."""
        self.follower.read_new_records()
        return callback.place_due_calls(self.settings)

    async def place_call(self) -> None:
        """Run steps until the machine has placed a call."""
        await self.wait_for(self.run_step)


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[tuple[Place, Settings]]:
    """Asterisk with two operators; missed callers are called at any hour, without a pause."""
    place = Place(tmp_path_factory.mktemp("callback"))
    place.make_files()
    settings = site_settings.load_settings(place.config_file)
    write_silent_prompts(settings.paths.prompts)
    prompts.link_for_asterisk(settings.paths.prompts, settings.asterisk.data)
    shutil.copy(migrated, settings.paths.database)
    with db.open_database(settings.paths.database).connection_context():
        for number, login in enumerate(OPERATORS, 1):
            phone = {"extension": f"100{number}", "speaks": ("uz", "ru")}
            accounts.create_account(login, login, "operator", "secret", **phone)
        first_plan = routing.initial_plan(settings)
        rules = FollowUps(opens="00:00", closes="23:59", attempts=2, pause_minutes=0)
        changes = {"follow_ups": rules, "shown": "+998712000000"}
        routing.save_plan(Plan(**{**vars(first_plan), **changes}), by="test")
        config.install_files(settings)
        command = [
            *tree.start_command(),
            "-f",
            "-C",
            str(settings.paths.asterisk / "asterisk.conf"),
        ]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: _asterisk_answers(settings), limit=60)
            yield place, settings
        finally:
            process.kill()
            process.wait()


def _asterisk_answers(settings: Settings) -> bool:
    try:
        with ami.Connection(settings) as asterisk:
            return bool(asterisk.send_action("QueueStatus"))
    except (ami.Unreachable, ami.ActionRefused):
        return False


@pytest.fixture
def play(site: tuple[Place, Settings]) -> Callable[[Callable[[Stage], Awaitable[None]]], None]:
    """Play a scene in which every operator's phone picks up and citizens' phones only ring."""
    place, settings = site

    async def run_scene(scene: Callable[[Stage], Awaitable[None]]) -> None:
        exchange = Exchange(place, settings)
        begin = len(exchange.logged_events())
        reached_calls: list[Call] = []
        async with exchange.open_parties() as parties:
            parties.on_ring = lambda _phone, call: call.pick_up()
            parties.on_outgoing_call = lambda call: (
                call.send_ringing(),
                reached_calls.append(call),
            )
            stage = Stage(settings, place, LogFollower(settings), parties, reached_calls)
            stage.set_ready()
            try:
                await scene(stage)
            finally:
                await end_all_calls(exchange, parties, begin)

    for task in FollowUp.select().where(FollowUp.closed_at.is_null()):
        followups.close_task(task, "done")
    return lambda scene: asyncio.run(run_scene(scene))


def test_a_caller_with_a_request_is_called_once_when_an_operator_is_free(play) -> None:
    async def scene(stage: Stage) -> None:
        number = next(_numbers)
        task = await stage.request_callback(number)
        assert task.kind == "callback"
        assert stage.run_step() == 0
        assert stage.reached_calls == []
        stage.set_ready("op01")
        await stage.place_call()
        assert stage.run_step() == 0
        (call,) = await stage.wait_for(lambda: stage.reached_calls)
        assert call.callee == number
        assert stage.run_step() == 0
        call.pick_up()
        phone = stage.people.phones[0]
        await stage.wait_for(lambda: phone.newest_call and phone.newest_call.up_at)
        assert stage.run_step() == 0
        closed_task = await stage.wait_for(
            lambda: FollowUp.get_or_none(id=task.id, outcome="spoken")
        )
        assert closed_task.claimed_until is None
        phone.newest_call.hang_up()
        await stage.wait_for(lambda: call.over_at)
        callback_row = await stage.wait_for(
            lambda: stage.ledger_calls(number).where(LedgerCall.serves == str(task.id)).first()
        )
        assert (callback_row.direction, callback_row.reason, callback_row.callee) == (
            "outbound",
            "callback",
            number,
        )
        assert stage.run_step() == 0
        assert len(stage.reached_calls) == 1

    play(scene)


def test_no_more_citizens_are_called_than_operators_are_free(play) -> None:
    async def scene(stage: Stage) -> None:
        first = await stage.request_callback(next(_numbers))
        second = await stage.request_callback(next(_numbers))
        stage.set_ready("op02")
        await stage.place_call()
        (call,) = await stage.wait_for(lambda: stage.reached_calls)
        assert call.callee == first.number  # the first request
        assert stage.run_step() == 0
        call.refuse_call(486)
        await stage.wait_for(lambda: FollowUp.get_by_id(first.id).attempts == 1)
        await stage.place_call()
        await stage.wait_for(lambda: len(stage.reached_calls) == 2)
        assert stage.run_step() == 0
        stage.set_ready("op01", "op02")
        await stage.place_call()
        await stage.wait_for(lambda: len(stage.reached_calls) == 3)
        assert sorted(c.callee for c in stage.reached_calls) == [
            first.number,
            first.number,
            second.number,
        ]

    play(scene)


def test_a_callback_is_given_up_after_the_last_attempt(play) -> None:
    async def scene(stage: Stage) -> None:
        number = next(_numbers)
        task = await stage.request_callback(number)
        stage.set_ready("op01")
        for attempt in (1, 2):
            await stage.place_call()
            await stage.wait_for(lambda n=attempt: len(stage.reached_calls) == n)
            stage.reached_calls[-1].refuse_call(480)
            await stage.wait_for(lambda n=attempt: FollowUp.get_by_id(task.id).attempts == n)
        assert stage.run_step() == 0
        assert FollowUp.get_by_id(task.id).outcome == "given_up"

    play(scene)


def test_a_foreign_caller_must_enter_a_local_number_and_is_not_called_abroad(play) -> None:
    async def scene(stage: Stage) -> None:
        abroad, typed = "+883510001234", next(_numbers)
        call = stage.people.call_hotline(abroad, tones.CALLERS[0])
        await stage.wait_for(lambda: call.up_at)
        call.media.press_keys("1")
        await stage.wait_for(lambda: stage.ledger_calls(abroad).filter(stage="queue").first())
        call.media.press_keys("9")
        await stage.wait_for(lambda: stage.is_prompted("callback-number"))
        call.media.press_keys("00883510001#")
        await stage.wait_for(lambda: stage.is_prompted("callback-number", is_second_time=True))
        call.media.press_keys(f"{typed[4:]}#")
        await stage.wait_for(lambda: call.over_at)
        request = await stage.wait_for(lambda: FollowUp.get_or_none(number=typed, closed_at=None))
        assert request.kind == "callback"
        assert FollowUp.select().where(FollowUp.number == abroad).count() == 0

    play(scene)


def test_foreign_numbers_are_not_called_and_the_daily_limit_holds(play) -> None:
    async def scene(stage: Stage) -> None:
        abroad, local = "+883510001235", next(_numbers)
        for number in (abroad, local):
            call = stage.people.call_hotline(number, tones.CALLERS[0])
            await stage.wait_for(lambda call=call: call.up_at)
            call.media.press_keys("1")
            await stage.wait_for(
                lambda n=number: stage.ledger_calls(n).filter(stage="queue").first()
            )
            call.hang_up()
            await stage.wait_for(lambda n=number: FollowUp.get_or_none(number=n, closed_at=None))
        FollowUp.update(kind="callback").execute()
        stage.set_ready("op01", "op02")
        settings_without_calls = dataclasses.replace(
            stage.settings, outgoing=Outgoing(machine_calls=0)
        )
        stage.follower.read_new_records()
        assert callback.place_due_calls(settings_without_calls) == 0
        await stage.place_call()
        await stage.wait_for(lambda: stage.reached_calls)
        assert [call.callee for call in stage.reached_calls] == [local]

    play(scene)


def test_the_machine_does_not_call_a_citizen_whom_an_operator_calls(play) -> None:
    async def scene(stage: Stage) -> None:
        task = await stage.request_callback(next(_numbers))
        user = User.get(User.login == "op01")
        assert followups.claim_task(task, by="op01")
        await asyncio.to_thread(
            db.database.connection_context()(dial_follow_up), stage.settings, user, task
        )
        stage.set_ready("op02")
        assert stage.run_step() == 0  # an operator is calling this citizen
        (call,) = await stage.wait_for(lambda: stage.reached_calls)
        assert call.callee == task.number
        call.pick_up()
        await stage.wait_for(lambda: FollowUp.get_or_none(id=task.id, outcome="spoken"))

    def dial_follow_up(settings: Settings, user: User, task: FollowUp) -> None:
        with db.database.connection_context():
            actions.dial_number(settings, user, task.number, "follow_up", str(task.id))

    play(scene)


_KILLED_STEP = """
import os, signal, sys
from appliance.core import db, settings
from appliance.pbx import callback
site = settings.load_settings(sys.argv[1])
db.open_database(site.paths.database)
if sys.argv[2] == "before":
    callback.originate_callback = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
callback.place_due_calls(site)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_machine_killed_during_a_step_neither_loses_nor_repeats_a_call(play, when: str) -> None:
    async def scene(stage: Stage) -> None:
        number = next(_numbers)
        task = await stage.request_callback(number)
        stage.set_ready("op01")
        command = [sys.executable, "-c", _KILLED_STEP, str(stage.settings.file), when]
        process = await asyncio.create_subprocess_exec(*command)
        assert await process.wait() == -9
        assert FollowUp.get_by_id(task.id).claimed_until
        assert stage.run_step() == 0  # the claim outlives the process that made it
        if when == "after":
            await stage.wait_for(lambda: len(stage.reached_calls) == 1)
        FollowUp.update(claimed_until=None).execute()  # three minutes later
        if when == "before":
            await stage.place_call()
            await stage.wait_for(lambda: len(stage.reached_calls) == 1)
            FollowUp.update(claimed_until=None).execute()
        assert stage.run_step() == 0  # the citizen's telephone is ringing
        assert len(stage.reached_calls) == 1

    play(scene)
