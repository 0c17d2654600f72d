"""Who asked to be called: called once, while an operator is free, until he was spoken to.

A real Asterisk and real calls; of our processes only the two at work here, in the test itself.
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
from appliance.pbx.follow import Follower
from appliance.people import accounts, presence
from appliance.sip import tones
from appliance.sip.call import Call
from appliance.telephony import followups, prompts, routing
from appliance.telephony.routing.shape import FollowUps, Plan
from provisioning.local import asterisk as tree
from provisioning.local.place import Place
from tests.calls.exchange import Exchange, say_little
from tests.calls.scene import end
from tests.rig.parties import People
from tests.rig.waiting import until

pytestmark = pytest.mark.calls

OPERATORS = ("op01", "op02")
_numbers = (f"+99890111{number:04}" for number in itertools.count())


@dataclass
class Scene:
    """The site, the people at its telephones, and the calls that reached the citizens."""

    settings: Settings
    place: Place
    follower: Follower
    people: People
    reached: list[Call]

    async def sure[T](self, condition: Callable[[], T], limit: float = 30.0) -> T:
        """The first true value of the condition; the ledger follows meanwhile."""
        end = asyncio.get_running_loop().time() + limit
        while True:
            self.follower.step()
            if value := condition():
                return value
            assert asyncio.get_running_loop().time() < end, f"not true after {limit} s"
            await asyncio.sleep(0.05)

    def ready(self, *logins: str) -> None:
        """These operators are ready, the others off."""
        for user in accounts.operators():
            presence.choose_state(user, "ready" if user.login in logins else "off")
        actions.put_states_in_force(self.settings)

    async def ask(self, number: str) -> FollowUp:
        """A citizen waits, presses the key and is told that he will be called."""
        call = self.people.call(number, tones.CALLERS[0])
        await self.sure(lambda: call.up_at)
        call.media.press("1")
        await self.sure(lambda: self.ledger(number).filter(stage="queue").first())
        call.media.press("9")
        await self.sure(lambda: call.over_at)
        return await self.sure(lambda: FollowUp.get_or_none(number=number, closed_at=None))

    def ledger(self, number: str):
        """The calls of a citizen, and to him."""
        mine = (LedgerCall.caller == number) | (LedgerCall.callee == number)
        return LedgerCall.select().where(mine)

    def prompted(self, prompt: str, *, twice: bool = False) -> bool:
        """Whether somebody is asked for something by this prompt now, for the second time."""
        with ami.Connection(self.settings) as asterisk:
            found = asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")
            for channel in found:
                if prompt in channel.get("ApplicationData", ""):
                    variable = {"Channel": channel["Channel"], "Variable": "ASKED"}
                    return asterisk.act("Getvar", **variable)["Value"] == ("1" if twice else "0")
        return False

    def step(self) -> int:
        """One look of the machine that calls back."""
        self.follower.step()
        return callback.step(self.settings)

    async def placed(self) -> None:
        """The machine looks until it has placed a call."""
        await self.sure(self.step)


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[tuple[Place, Settings]]:
    """Asterisk with two operators; who was missed is called at any hour, ten seconds apart."""
    place = Place(tmp_path_factory.mktemp("callback"))
    place.make()
    settings = site_settings.load(place.config)
    say_little(settings.paths.prompts)
    prompts.show_to_asterisk(settings.paths.prompts, settings.asterisk.data)
    shutil.copy(migrated, settings.paths.database)
    with db.open_database(settings.paths.database).connection_context():
        for number, login in enumerate(OPERATORS, 1):
            phone = {"extension": f"100{number}", "speaks": ("uz", "ru")}
            accounts.add(login, login, "operator", "secret", **phone)
        first = routing.first(settings)
        rules = FollowUps(opens="00:00", closes="23:59", attempts=2, pause_minutes=0)
        changed = {"follow_ups": rules, "shown": "+998712000000"}
        routing.save(Plan(**{**vars(first), **changed}), by="test")
        config.install(settings)
        command = [*tree.command(), "-f", "-C", str(settings.paths.asterisk / "asterisk.conf")]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(lambda: _answers(settings), limit=60)
            yield place, settings
        finally:
            process.kill()
            process.wait()


def _answers(settings: Settings) -> bool:
    try:
        with ami.Connection(settings) as asterisk:
            return bool(asterisk.act("QueueStatus"))
    except (ami.Unreachable, ami.Refused):
        return False


@pytest.fixture
def play(site: tuple[Place, Settings]) -> Callable[[Callable[[Scene], Awaitable[None]]], None]:
    """Play a scene; every phone is taken up, citizens only ring."""
    place, settings = site

    async def whole(scene: Callable[[Scene], Awaitable[None]]) -> None:
        exchange = Exchange(place, settings)
        begin = len(exchange.events())
        reached: list[Call] = []
        async with exchange.people() as crowd:
            crowd.rings = lambda _phone, call: call.pick_up()
            crowd.dialled = lambda call: (call.ring(), reached.append(call))
            made = Scene(settings, place, Follower(settings), crowd, reached)
            made.ready()
            try:
                await scene(made)
            finally:
                await end(exchange, crowd, begin)

    for task in FollowUp.select().where(FollowUp.closed_at.is_null()):
        followups.mark(task, "done")
    return lambda scene: asyncio.run(whole(scene))


def test_who_asked_is_called_once_when_an_operator_is_free(play) -> None:
    async def scene(made: Scene) -> None:
        number = next(_numbers)
        task = await made.ask(number)
        assert task.kind == "callback"
        assert made.step() == 0
        assert made.reached == []
        made.ready("op01")
        await made.placed()
        assert made.step() == 0
        (call,) = await made.sure(lambda: made.reached)
        assert call.called == number
        assert made.step() == 0
        call.pick_up()
        phone = made.people.phones[0]
        await made.sure(lambda: phone.call and phone.call.up_at)
        assert made.step() == 0
        spoken = await made.sure(lambda: FollowUp.get_or_none(id=task.id, outcome="spoken"))
        assert spoken.claimed_until is None
        phone.call.hang_up()
        await made.sure(lambda: call.over_at)
        ours = await made.sure(
            lambda: made.ledger(number).where(LedgerCall.serves == str(task.id)).first()
        )
        assert (ours.direction, ours.reason, ours.callee) == ("outbound", "callback", number)
        assert made.step() == 0
        assert len(made.reached) == 1

    play(scene)


def test_never_more_citizens_than_free_operators(play) -> None:
    async def scene(made: Scene) -> None:
        first = await made.ask(next(_numbers))
        second = await made.ask(next(_numbers))
        made.ready("op02")
        await made.placed()
        (call,) = await made.sure(lambda: made.reached)
        assert call.called == first.number  # who asked first
        assert made.step() == 0
        call.refuse(486)
        await made.sure(lambda: FollowUp.get_by_id(first.id).attempts == 1)
        await made.placed()
        await made.sure(lambda: len(made.reached) == 2)
        assert made.step() == 0
        made.ready("op01", "op02")
        await made.placed()
        await made.sure(lambda: len(made.reached) == 3)
        assert sorted(c.called for c in made.reached) == [first.number, first.number, second.number]

    play(scene)


def test_after_the_last_attempt_he_is_given_up(play) -> None:
    async def scene(made: Scene) -> None:
        number = next(_numbers)
        task = await made.ask(number)
        made.ready("op01")
        for attempt in (1, 2):
            await made.placed()
            await made.sure(lambda n=attempt: len(made.reached) == n)
            made.reached[-1].refuse(480)
            await made.sure(lambda n=attempt: FollowUp.get_by_id(task.id).attempts == n)
        assert made.step() == 0
        assert FollowUp.get_by_id(task.id).outcome == "given_up"

    play(scene)


def test_a_number_abroad_is_asked_for_another_and_never_called(play) -> None:
    async def scene(made: Scene) -> None:
        abroad, typed = "+883510001234", next(_numbers)
        call = made.people.call(abroad, tones.CALLERS[0])
        await made.sure(lambda: call.up_at)
        call.media.press("1")
        await made.sure(lambda: made.ledger(abroad).filter(stage="queue").first())
        call.media.press("9")
        await made.sure(lambda: made.prompted("callback-number"))
        call.media.press("00883510001#")
        await made.sure(lambda: made.prompted("callback-number", twice=True))
        call.media.press(f"{typed[4:]}#")
        await made.sure(lambda: call.over_at)
        asked = await made.sure(lambda: FollowUp.get_or_none(number=typed, closed_at=None))
        assert asked.kind == "callback"
        assert FollowUp.select().where(FollowUp.number == abroad).count() == 0

    play(scene)


def test_who_waited_abroad_is_not_called_and_the_limit_of_a_day_holds(play) -> None:
    async def scene(made: Scene) -> None:
        abroad, near = "+883510001235", next(_numbers)
        for number in (abroad, near):
            call = made.people.call(number, tones.CALLERS[0])
            await made.sure(lambda call=call: call.up_at)
            call.media.press("1")
            await made.sure(lambda n=number: made.ledger(n).filter(stage="queue").first())
            call.hang_up()
            await made.sure(lambda n=number: FollowUp.get_or_none(number=n, closed_at=None))
        FollowUp.update(kind="callback").execute()
        made.ready("op01", "op02")
        none = dataclasses.replace(made.settings, outgoing=Outgoing(machine_calls=0))
        made.follower.step()
        assert callback.step(none) == 0
        await made.placed()
        await made.sure(lambda: made.reached)
        assert [call.called for call in made.reached] == [near]

    play(scene)


def test_an_operator_calls_from_the_list(play) -> None:
    async def scene(made: Scene) -> None:
        task = await made.ask(next(_numbers))
        user = User.get(User.login == "op01")
        assert followups.claim(task, by="op01")
        await asyncio.to_thread(db.database.connection_context()(dial), made.settings, user, task)
        made.ready("op02")
        assert made.step() == 0  # somebody is calling him
        (call,) = await made.sure(lambda: made.reached)
        assert call.called == task.number
        call.pick_up()
        await made.sure(lambda: FollowUp.get_or_none(id=task.id, outcome="spoken"))

    def dial(settings: Settings, user: User, task: FollowUp) -> None:
        with db.database.connection_context():
            actions.dial(settings, user, task.number, "follow_up", str(task.id))

    play(scene)


_KILLED = """
import os, signal, sys
from appliance.core import db, settings
from appliance.pbx import callback
site = settings.load(sys.argv[1])
db.open_database(site.paths.database)
if sys.argv[2] == "before":
    callback.call = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
callback.step(site)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_the_middle_it_neither_forgets_nor_calls_twice(play, when: str) -> None:
    async def scene(made: Scene) -> None:
        number = next(_numbers)
        task = await made.ask(number)
        made.ready("op01")
        command = [sys.executable, "-c", _KILLED, str(made.settings.file), when]
        process = await asyncio.create_subprocess_exec(*command)
        assert await process.wait() == -9
        assert FollowUp.get_by_id(task.id).claimed_until
        assert made.step() == 0  # the claim outlives who made it
        if when == "after":
            await made.sure(lambda: len(made.reached) == 1)
        FollowUp.update(claimed_until=None).execute()  # three minutes later
        if when == "before":
            await made.placed()
            await made.sure(lambda: len(made.reached) == 1)
            FollowUp.update(claimed_until=None).execute()
        assert made.step() == 0  # his telephone is ringing
        assert len(made.reached) == 1

    play(scene)
