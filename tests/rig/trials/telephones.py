"""What whoever has a telephone can do in a script."""

import asyncio
import time

from appliance.sip import tones
from appliance.sip.call import Call
from tests.rig.trials.stage import LIMIT, Person, Stage, Stuck

# Statuses by which a call is refused at once; "failing": by the first trunk only.
MANNERS = {"busy": 486, "declining": 603, "unknown": 404, "unreachable": 503, "failing": 503}


class TelephoneSteps(Stage):
    """Steps of operators, employees and numbers outside; some are the caller's too."""

    async def do_rings(self, who: Person) -> None:
        """X rings: waits until his telephone does."""
        await self.until(who.ringing, f"{who.name} rings")

    async def do_answers(self, who: Person) -> None:
        """X answers, once it rings."""
        call = await self.until(who.ringing, f"{who.name} rings")
        call.pick_up()

    async def do_was(self, who: Person, _called: str = "called") -> None:
        """X was called: waits until that call is over."""
        await self.until(lambda: who.calls and who.calls[-1].over_at, f"{who.name} was called", 60)

    async def do_had(self, who: Person, count: str) -> None:
        """X had COUNT calls."""
        had = [call for call in who.calls if call.began_at >= self.began_at]
        if len(had) != int(count):
            raise Stuck(f"{len(had)} calls")

    async def do_declines(self, who: Person) -> None:
        """X declines, once it rings."""
        call = await self.until(who.ringing, f"{who.name} rings")
        call.refuse(603)

    async def do_ignores(self, who: Person) -> None:
        """X ignores: lets it ring until it stops."""
        call = await self.until(who.ringing, f"{who.name} rings")
        await self.until(lambda: call.over_at, f"{who.name} stops ringing", 60)

    async def do_has(self, who: Person, number: str) -> None:
        """X has NUMBER: one that the plan leads to."""
        who.number = number
        self.world.takes(self, number)

    async def do_is(self, who: Person, manner: str) -> None:
        """X is busy | declining | unknown | unreachable | silent | off | there"""
        if manner not in (*MANNERS, "silent", "off", "there"):
            raise Stuck(f"nobody is {manner}")
        who.manner = "" if manner == "there" else manner
        if who.phone:
            who.phone.is_off = manner == "off"

    async def do_talks(self, who: Person, seconds: str, _with: str = "", other: str = "C") -> None:
        """X talks SECONDS [with Y]: until each has heard the other for so long."""
        there = self.person(other)
        await self.do_hears(who, other, seconds)
        await self.do_hears(there, who.name, "0.5")

    async def do_hears(self, who: Person, whom: str, seconds: str = "0.5") -> None:
        """X hears Y | music | nothing [SECONDS]: from now on."""
        nobody = {"music": tones.MUSIC, "nothing": tones.SILENCE}
        pitch = nobody[whom] if whom in nobody else self.person(whom).pitch
        since = time.time()
        looks = max(1, round(float(seconds) * 2))

        def heard() -> bool:
            return any(
                sum(at >= since and pitch in who for at, who in call.media.flow.heard) >= looks
                for call in who.calls
            )

        await self.until(heard, f"{who.name} hears {whom}", LIMIT + float(seconds))

    async def do_waits(self, _who: Person, seconds: str) -> None:
        """X waits SECONDS: as long as his patience lasts."""
        await asyncio.sleep(float(seconds))

    async def do_hangs_up(self, who: Person) -> None:
        """X hangs up whatever he has, the newest call first."""
        call = who.talking() or who.call
        call.hang_up()
        await self.until(lambda: call.over_at, "hung up")

    async def do_ends(self, who: Person) -> None:
        """X ends: waits until the box has ended his calls."""
        await self.until(lambda: all(c.over_at for c in who.calls), f"{who.name} is let go", 60)

    async def do_holds(self, who: Person) -> None:
        """X holds."""
        call = await self.until(who.talking, f"{who.name} talks")
        if (status := await call.hold(True)) != 200:
            raise Stuck(f"hold: {status}")

    async def do_resumes(self, who: Person) -> None:
        """X resumes."""
        call = await self.until(
            lambda: next((c for c in who.calls if c.state == "up" and c.held), None), "held"
        )
        if (status := await call.hold(False)) != 200:
            raise Stuck(f"resume: {status}")

    async def do_dies(self, who: Person) -> None:
        """X dies: no sound and no signal any more."""
        if who.phone:
            who.phone.die()
        for call in who.calls:
            call.die()

    async def do_vanishes(self, who: Person) -> None:
        """X vanishes: his talk falls silent, as a page that is loaded anew; he can be called."""
        for call in who.calls:
            call.die()

    async def do_refers(self, who: Person, whom: str) -> None:
        """A refers E: passes the caller on without a word (REFER)."""
        call = await self.until(who.talking, f"{who.name} talks")
        status = await call.refer(self.number_of(whom))
        if status != 202:
            raise Stuck(f"REFER: {status}")
        self.behind(self._let_go(call))

    async def do_dials(self, who: Person, whom: str) -> None:
        """A dials E: puts a call that goes on aside, and calls."""
        phone = self._phone_of(who)
        if call := who.talking():
            await call.hold(True)
        phone.dial(self.number_of(whom)).media.first = self.voices

    async def do_joins(self, who: Person) -> None:
        """A joins his two calls and leaves (REFER with Replaces)."""
        alive = [call for call in who.calls if call.state != "over"]
        if len(alive) < 2:
            raise Stuck("one of the two calls is over")
        first, second = alive[-2:]
        status = await first.refer("", replaces=second)
        if status != 202:
            raise Stuck(f"REFER: {status}")
        self.behind(self._let_go(first))
        self.behind(self._let_go(second))

    async def _let_go(self, call: Call) -> None:
        """Hang up once the box has said that the transfer is done."""
        await self.until(lambda: call.over_at or any(s >= 200 for s in call.referred), "NOTIFY", 60)
        if all(status < 300 for status in call.referred):
            await asyncio.sleep(0.2)
            call.hang_up()
