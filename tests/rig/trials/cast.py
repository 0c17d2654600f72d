"""The people of one script at work."""

import asyncio
import re

from appliance.pbx.actions import Refused
from appliance.sip.call import Call
from tests.rig.parties import Phone
from tests.rig.trials.callers import CallerSteps
from tests.rig.trials.desks import DeskSteps
from tests.rig.trials.stage import OPERATORS, Person, Stuck
from tests.rig.trials.telephones import MANNERS, TelephoneSteps

_STEP = re.compile(r"([A-Z]) (\w+(?: up| is)?)\s*(.*)")


class Cast(CallerSteps, TelephoneSteps, DeskSteps):
    """Everybody of one script: takes their calls and does their steps."""

    async def perform(self, step: str) -> None:
        """Do one step. Raises Stuck when what it waits for does not come."""
        match = _STEP.fullmatch(step)
        if not match:
            raise Stuck(f"cannot read the step {step!r}")
        name, verb, rest = match[1], match[2].replace(" ", "_"), match[3].strip()
        kind = {"P": "page", "S": "site"}.get(name, "do")
        doing = getattr(self, f"{kind}_{verb}", None)
        if not doing:
            raise Stuck(f"nobody knows how to {verb!r}")
        if name == "Z" and verb == "answers":
            await self.until(lambda: self.person("Z").phone, "somebody rings")
        who = self.person(name) if name not in "PS" else None
        try:
            await (doing(who, *rest.split()) if who else doing(*rest.split()))
        except (Stuck, TypeError, Refused) as error:
            raise Stuck(f"{step}: {error}") from error

    def rang(self, phone: Phone, call: Call) -> None:
        """A phone begins to ring for this script's caller."""
        self.keep(phone)
        call.media.pitch, call.media.first = phone.pitch, self.voices
        person = self.person_of(phone)
        if not person:
            person = next(
                (p for p in self.people.values() if p.name in OPERATORS and not p.phone), None
            )
            if person:
                self._give(person, phone)
        if not person and phone not in self.waiting:
            self.waiting.append(phone)
        _take(call, person.manner if person else "")

    def dialled(self, person: Person, call: Call) -> None:
        """The box calls a number outside."""
        call.media.pitch, call.media.first = person.pitch, self.voices
        person.calls.append(call)
        first = call.agent.host == self.world.place.carrier
        _take(call, "" if person.manner == "failing" and not first else person.manner)

    async def leave(self) -> None:
        """Whoever is still there hangs up."""
        for _ in range(60):  # when one hangs up the box lets the others go
            if self.caller.talking() or not self._remaining():
                break
            await asyncio.sleep(0.05)
        for task in self.background:
            task.cancel()
        await asyncio.gather(*self.background, return_exceptions=True)
        for call in self._remaining():
            call.hang_up()
        for phone in self.phones:
            phone.is_off = False
        for extension in self.kept:
            await self._keep(extension, "")

    def vain(self) -> list[str]:
        """Logins of phones that rang and did not answer: the queue may have paused them."""
        return [
            phone.login
            for phone in self.phones
            if phone.login in self.paused or any(c.is_incoming and not c.up_at for c in phone.calls)
        ]

    def _remaining(self) -> list[Call]:
        calls = [call for person in self.people.values() for call in person.calls]
        calls += [call for phone in self.waiting for call in phone.calls]
        return [call for call in calls if call.state != "over"]


def _take(call: Call, manner: str) -> None:
    if manner in MANNERS:
        call.refuse(MANNERS[manner])
    elif manner in ("silent", "off"):
        call.die()
    else:
        call.ring()
