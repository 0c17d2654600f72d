"""The steps of everybody who has a telephone in a script."""

import asyncio
import time

from appliance.sip import tones
from appliance.sip.call import Call
from tests.rig.trials.stage import STEP_LIMIT_SECONDS, Person, Stage, Stuck

# Statuses with which a call is refused at once; "failing": by the first trunk only.
MANNER_STATUSES = {
    "busy": 486,
    "declining": 603,
    "unknown": 404,
    "unreachable": 503,
    "failing": 503,
}


class TelephoneSteps(Stage):
    """Steps of operators, employees and numbers outside; some are also the caller's."""

    async def do_rings(self, person: Person) -> None:
        """X rings: waits until the person's telephone rings."""
        await self.wait_for(person.ringing_call, f"{person.name} rings")

    async def do_answers(self, person: Person) -> None:
        """X answers, once it rings."""
        call = await self.wait_for(person.ringing_call, f"{person.name} rings")
        call.pick_up()

    async def do_was(self, person: Person, _called: str = "called") -> None:
        """X was called: waits until that call is over."""
        await self.wait_for(
            lambda: person.calls and person.calls[-1].over_at, f"{person.name} was called", 60
        )

    async def do_had(self, person: Person, count: str) -> None:
        """X had COUNT calls."""
        calls = [call for call in person.calls if call.began_at >= self.began_at]
        if len(calls) != int(count):
            raise Stuck(f"{len(calls)} calls")

    async def do_declines(self, person: Person) -> None:
        """X declines, once it rings."""
        call = await self.wait_for(person.ringing_call, f"{person.name} rings")
        call.refuse_call(603)

    async def do_ignores(self, person: Person) -> None:
        """X ignores: lets it ring until it stops."""
        call = await self.wait_for(person.ringing_call, f"{person.name} rings")
        await self.wait_for(lambda: call.over_at, f"{person.name} stops ringing", 60)

    async def do_has(self, person: Person, number: str) -> None:
        """X has NUMBER: takes over a number to which the plan leads."""
        person.number = number
        self.world.register_callee_number(self, number)

    async def do_is(self, person: Person, manner: str) -> None:
        """X is busy | declining | unknown | unreachable | silent | off | there"""
        if manner not in (*MANNER_STATUSES, "silent", "off", "there"):
            raise Stuck(f"nobody is {manner}")
        person.manner = "" if manner == "there" else manner
        if person.phone:
            person.phone.is_dead = manner == "off"

    async def do_talks(
        self, person: Person, seconds: str, _with: str = "", partner_name: str = "C"
    ) -> None:
        """X talks SECONDS [with Y]: until each has received the other's voice that long."""
        partner = self.person_by_letter(partner_name)
        await self.do_hears(person, partner_name, seconds)
        await self.do_hears(partner, person.name, "0.5")

    async def do_hears(self, person: Person, source: str, seconds: str = "0.5") -> None:
        """`X hears Y | music | nothing [SECONDS]`: from now on."""
        other_sources = {"music": tones.MUSIC, "nothing": tones.SILENCE}
        pitch = (
            other_sources[source]
            if source in other_sources
            else self.person_by_letter(source).pitch
        )
        since = time.time()
        needed_count = max(1, round(float(seconds) * 2))

        def has_sound() -> bool:
            return any(
                sum(at >= since and pitch in who for at, who in call.media.received.voices)
                >= needed_count
                for call in person.calls
            )

        await self.wait_for(
            has_sound, f"{person.name} hears {source}", STEP_LIMIT_SECONDS + float(seconds)
        )

    async def do_waits(self, _who: Person, seconds: str) -> None:
        """X waits SECONDS."""
        await asyncio.sleep(float(seconds))

    async def do_hangs_up(self, person: Person) -> None:
        """X hangs up the active call, or else the newest one."""
        call = person.active_call() or person.newest_call
        call.hang_up()
        await self.wait_for(lambda: call.over_at, "hung up")

    async def do_ends(self, person: Person) -> None:
        """X ends: waits until the box has ended the person's calls."""
        await self.wait_for(
            lambda: all(c.over_at for c in person.calls), f"{person.name} is let go", 60
        )

    async def do_holds(self, person: Person) -> None:
        """X holds."""
        call = await self.wait_for(person.active_call, f"{person.name} talks")
        if (status := await call.set_hold(True)) != 200:
            raise Stuck(f"hold: {status}")

    async def do_resumes(self, person: Person) -> None:
        """X resumes."""
        call = await self.wait_for(
            lambda: next((c for c in person.calls if c.state == "up" and c.is_on_hold), None),
            "held",
        )
        if (status := await call.set_hold(False)) != 200:
            raise Stuck(f"resume: {status}")

    async def do_dies(self, person: Person) -> None:
        """X dies: no sound and no signal any more."""
        if person.phone:
            person.phone.go_silent()
        for call in person.calls:
            call.disconnect_silently()

    async def do_vanishes(self, person: Person) -> None:
        """X vanishes: the talk falls silent, like in a reloaded page; X can be called again."""
        for call in person.calls:
            call.disconnect_silently()

    async def do_refers(self, person: Person, target: str) -> None:
        """A refers E: transfers the caller blindly (REFER)."""
        call = await self.wait_for(person.active_call, f"{person.name} talks")
        status = await call.send_refer(self.dialled_number(target))
        if status != 202:
            raise Stuck(f"REFER: {status}")
        self.run_in_background(self._hang_up_after_transfer(call))

    async def do_dials(self, person: Person, target: str) -> None:
        """A dials E: puts a current call on hold, and calls."""
        phone = self._phone_of_person(person)
        if call := person.active_call():
            await call.set_hold(True)
        phone.dial_number(self.dialled_number(target)).media.likely_pitches = self.voices

    async def do_joins(self, person: Person) -> None:
        """A joins the two calls and leaves (REFER with Replaces)."""
        open_calls = [call for call in person.calls if call.state != "over"]
        if len(open_calls) < 2:
            raise Stuck("one of the two calls is over")
        first, second = open_calls[-2:]
        status = await first.send_refer("", replaces=second)
        if status != 202:
            raise Stuck(f"REFER: {status}")
        self.run_in_background(self._hang_up_after_transfer(first))
        self.run_in_background(self._hang_up_after_transfer(second))

    async def _hang_up_after_transfer(self, call: Call) -> None:
        """Hang up once the box has reported that the transfer is done."""
        await self.wait_for(
            lambda: call.over_at or any(s >= 200 for s in call.refer_statuses), "NOTIFY", 60
        )
        if all(status < 300 for status in call.refer_statuses):
            await asyncio.sleep(0.2)
            call.hang_up()
