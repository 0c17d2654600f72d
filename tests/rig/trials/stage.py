"""The base of a script: its people, the calls on their telephones, and waiting for conditions."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from appliance.core.settings import Settings
from appliance.models import User
from appliance.sip import tones
from appliance.sip.call import Call
from provisioning.local.place import Place
from tests.rig.parties import CallParties, Phone
from tests.rig.trials.log_reader import EventLogReader
from tests.rig.waiting import wait_within

OPERATOR_LETTERS = "ABDHI"
STEP_LIMIT_SECONDS = 40.0  # a step waits this long, unless it sets another limit


class Stuck(AssertionError):
    """A step's condition did not come true."""


@dataclass
class Person:
    """A person in a script. `manner`: how they take calls without a step; "" rings."""

    name: str
    number: str
    pitch: int
    calls: list[Call] = field(default_factory=list)
    phone: Phone | None = None
    manner: str = ""
    seen_count: int = 0  # earlier calls are ignored

    def ringing_call(self) -> Call | None:
        """The call that rings here now."""
        return next(
            (c for c in reversed(self.calls) if c.is_incoming and c.state == "ringing"), None
        )

    def active_call(self) -> Call | None:
        """The newest call that is up."""
        return next((c for c in reversed(self.calls) if c.state == "up"), None)

    @property
    def newest_call(self) -> Call:
        """The newest call. Raises Stuck when there never was one."""
        if not self.calls:
            raise Stuck(f"{self.name} has no call")
        return self.calls[-1]


class ScriptWorld(Protocol):
    """What a script needs of the site and of the people around it; World implements it."""

    place: Place
    settings: Settings
    users: dict[str, User]  # by login
    parties: CallParties
    log_reader: EventLogReader
    limit_factor: float  # by which limits are multiplied on a busy machine

    async def run_command(self, *arguments: str) -> str:
        """The output of a command of the appliance."""

    def new_outside_number(self, stage: "Stage") -> tuple[str, int]:
        """A number outside that belongs to this script, and its voice."""

    def register_caller_number(self, stage: "Stage", number: str) -> None:
        """Record that this script's caller calls from this number."""

    def register_callee_number(self, stage: "Stage", number: str) -> None:
        """Record that calls to this number are for this script's people."""

    def find_free_phone(self, stage: "Stage") -> Phone:
        """A phone that nobody uses, reserved for this script."""


class Stage:
    """The people of one script; subclasses define their steps."""

    def __init__(self, world: ScriptWorld, name: str, number: str, pitch: int) -> None:
        self.world = world
        self.name = name
        self.people: dict[str, Person] = {"C": Person("C", number, pitch)}
        self.voices = [pitch]  # of everybody in the script
        self.waiting: list[Phone] = []  # phones that rang and have no role yet
        self.phones: list[Phone] = []  # reserved for this script
        self.phone_since: dict[str, float] = {}  # extension → when it was reserved for this script
        self.paused: list[str] = []  # logins
        self.resuming_extensions: list[str] = []  # extensions whose callers wait for them to return
        self.background: list[asyncio.Task[object]] = []
        self.is_hidden = False
        self.began_at = time.time()

    @property
    def caller(self) -> Person:
        """The citizen."""
        return self.people["C"]

    def person_by_letter(self, name: str) -> Person:
        """The person with this letter.

        An operator gets the phone that rang first, anyone else a new number.
        """
        if name == "Z":  # any person whose phone rings, even one who has a letter already
            phone = next(
                (p for p in self.phones if p.newest_call and p.newest_call.state == "ringing"), None
            )
            if phone:
                self.people["Z"] = Person("Z", phone.extension, phone.pitch, phone.calls, phone)
            return self.people.get("Z") or Person("Z", "", 0)
        if name in self.people:
            return self.people[name]
        if name in OPERATOR_LETTERS:
            phone = self.waiting.pop(0) if self.waiting else None
            person = Person(name, phone.extension if phone else "", phone.pitch if phone else 0)
            person.phone = phone
            if phone:
                person.calls = phone.calls
        else:
            number, pitch = self.world.new_outside_number(self)
            person = Person(name, number, pitch)
            self.voices.append(pitch)
        self.people[name] = person
        return person

    def reserve_phone(self, phone: Phone) -> None:
        """Reserve a phone for this script until its end."""
        if phone not in self.phones:
            # each phone of a script has its own voice
            used_pitches = {other.pitch for other in self.phones}
            phone.pitch = next(pitch for pitch in tones.OPERATORS if pitch not in used_pitches)
            self.voices.append(phone.pitch)
            self.phones.append(phone)
            self.phone_since[phone.extension] = time.time()

    def person_with_phone(self, phone: Phone) -> Person | None:
        """The person who has the phone."""
        return next((p for p in self.people.values() if p.phone is phone), None)

    def _assign_phone(self, person: Person, phone: Phone) -> None:
        person.phone, person.number, person.pitch = phone, phone.extension, phone.pitch
        person.calls = phone.calls
        if phone in self.waiting:
            self.waiting.remove(phone)

    async def wait_for[T](
        self, condition: Callable[[], T | None], description: str, limit: float = STEP_LIMIT_SECONDS
    ) -> T:
        """The first true value of the condition. Raises Stuck after `limit` seconds."""
        value = await wait_within(condition, limit * self.world.limit_factor)
        if not value:
            raise Stuck(f"{description}: not after {limit:.0f} s")
        return value

    def is_talk_over(self) -> bool:
        """Returns True if no operator or number outside speaks with the caller any more."""
        return not any(p.active_call() for p in self.people.values() if p.name != "C")

    def caller_linkedid(self) -> str | None:
        """The call that this script's caller made, once the log has it."""
        calls = self.caller.calls
        return self.world.log_reader.linkedid_by_call_id(calls[0].call_id) if calls else None

    def story_events(self, kind: str, **fields: str) -> list[object]:
        """Records of that kind in the log of this caller's call."""
        if not self.caller.calls:
            return []
        return [
            event
            for event in self.world.log_reader.events_by_call_id(self.caller.calls[0].call_id)
            if event.type == kind and all(event.fields[k] == v for k, v in fields.items())
        ]

    def dialled_number(self, name: str) -> str:
        """The number to dial to reach someone; an operator without a phone gets a free one."""
        if name.isdigit() or name.startswith("+"):
            return name
        person = self.person_by_letter(name)
        if name in OPERATOR_LETTERS:
            self._phone_of_person(person)
        return person.number

    def _phone_of_person(self, person: Person) -> Phone:
        if not person.phone:
            phone = self.world.find_free_phone(self)
            self.reserve_phone(phone)
            self._assign_phone(person, phone)
        assert person.phone  # assigned above
        return person.phone

    def run_in_background(self, awaitable: Awaitable[object]) -> None:
        """Run something while the steps continue."""
        self.background.append(asyncio.ensure_future(awaitable))
