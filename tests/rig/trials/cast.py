"""The people of one script at work."""

import asyncio
import re

from appliance.pbx.actions import ActionRefused
from appliance.sip.call import Call
from tests.rig.parties import Phone
from tests.rig.trials.callers import CallerSteps
from tests.rig.trials.desks import DeskSteps
from tests.rig.trials.stage import OPERATOR_LETTERS, Person, Stuck
from tests.rig.trials.telephones import MANNER_STATUSES, TelephoneSteps
from tests.rig.waiting import wait_within

_STEP_PATTERN = re.compile(r"([A-Z]) (\w+(?: up| is)?)\s*(.*)")


class Cast(CallerSteps, TelephoneSteps, DeskSteps):
    """Everybody of one script: takes their calls and does their steps."""

    async def perform_step(self, step: str) -> None:
        """Do one step. Raises Stuck when its condition does not come true."""
        match = _STEP_PATTERN.fullmatch(step)
        if not match:
            raise Stuck(f"cannot read the step {step!r}")
        name, verb, rest = match[1], match[2].replace(" ", "_"), match[3].strip()
        kind = {"P": "page", "S": "site"}.get(name, "do")
        action = getattr(self, f"{kind}_{verb}", None)
        if not action:
            raise Stuck(f"nobody knows how to {verb!r}")
        if name == "Z" and verb == "answers":
            await self.wait_for(lambda: self.person_by_letter("Z").phone, "somebody rings")
        person = self.person_by_letter(name) if name not in "PS" else None
        try:
            await (action(person, *rest.split()) if person else action(*rest.split()))
        except (Stuck, TypeError, ActionRefused) as error:
            raise Stuck(f"{step}: {error}") from error

    def handle_ring(self, phone: Phone, call: Call) -> None:
        """A phone begins to ring for this script's caller."""
        self.reserve_phone(phone)
        call.media.pitch, call.media.likely_pitches = phone.pitch, self.voices
        person = self.person_with_phone(phone)
        if not person:
            person = next(
                (p for p in self.people.values() if p.name in OPERATOR_LETTERS and not p.phone),
                None,
            )
            if person:
                self._assign_phone(person, phone)
        if not person and phone not in self.waiting:
            self.waiting.append(phone)
        _take_by_manner(call, person.manner if person else "")

    def handle_outgoing_call(self, person: Person, call: Call) -> None:
        """The box calls a number outside."""
        call.media.pitch, call.media.likely_pitches = person.pitch, self.voices
        person.calls.append(call)
        is_first_trunk = call.agent.host == self.world.place.carrier_address
        _take_by_manner(
            call, "" if person.manner == "failing" and not is_first_trunk else person.manner
        )

    async def end_script(self) -> None:
        """Hang up all remaining calls and free the phones."""
        # when one hangs up, the box releases the others
        await wait_within(lambda: self.caller.active_call() or not self._open_calls(), limit=3)
        for task in self.background:
            task.cancel()
        await asyncio.gather(*self.background, return_exceptions=True)
        for call in self._open_calls():
            call.hang_up()
        for phone in self.phones:
            phone.is_dead = False
        for extension in self.resuming_extensions:
            await self._set_resume_seconds(extension, "")

    def unanswered_logins(self) -> list[str]:
        """Logins of phones that rang and did not answer: the queue may have paused them."""
        return [
            phone.login
            for phone in self.phones
            if phone.login in self.paused or any(c.is_incoming and not c.up_at for c in phone.calls)
        ]

    def _open_calls(self) -> list[Call]:
        calls = [call for person in self.people.values() for call in person.calls]
        calls += [call for phone in self.waiting for call in phone.calls]
        return [call for call in calls if call.state != "over"]


def _take_by_manner(call: Call, manner: str) -> None:
    """Ring, refuse or stay silent, according to the person's manner."""
    if manner in MANNER_STATUSES:
        call.refuse_call(MANNER_STATUSES[manner])
    elif manner in ("silent", "off"):
        call.disconnect_silently()
    else:
        call.send_ringing()
