"""Where a script is played: its people, what they have on their telephones, what is waited for."""

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
from tests.rig.parties import People, Phone
from tests.rig.trials.stories import Stories

OPERATORS = "ABDHI"
LIMIT = 40.0  # seconds that a step waits, unless it says otherwise


class Stuck(AssertionError):
    """A step's condition did not come true."""


@dataclass
class Person:
    """Someone in a script. `manner`: how he takes calls without being told, "" rings."""

    name: str
    number: str
    pitch: int
    calls: list[Call] = field(default_factory=list)
    phone: Phone | None = None
    manner: str = ""
    seen: int = 0  # calls before this one are no news

    def ringing(self) -> Call | None:
        """The call that rings here now."""
        return next(
            (c for c in reversed(self.calls) if c.is_incoming and c.state == "ringing"), None
        )

    def talking(self) -> Call | None:
        """The newest call that is up."""
        return next((c for c in reversed(self.calls) if c.state == "up"), None)

    @property
    def call(self) -> Call:
        """The newest call. Raises Stuck when there never was one."""
        if not self.calls:
            raise Stuck(f"{self.name} has no call")
        return self.calls[-1]


class Surroundings(Protocol):
    """What a script needs of the site and of everybody else there; a World has it."""

    place: Place
    settings: Settings
    users: dict[str, User]  # by login
    people: People
    stories: Stories
    patience: float  # by which limits are stretched on a busy machine

    async def appliance(self, *arguments: str) -> str:
        """What a command of the appliance prints."""

    def outside(self, stage: "Stage") -> tuple[str, int]:
        """A number outside that belongs to this script, and its voice."""

    def known(self, stage: "Stage", number: str) -> None:
        """This script's caller calls from this number."""

    def takes(self, stage: "Stage", number: str) -> None:
        """Calls to this number are for this script's people."""

    def free_phone(self, stage: "Stage") -> Phone:
        """A phone that nobody uses, kept for this script."""


class Stage:
    """The people of one script; what they can do is told by its heirs."""

    def __init__(self, world: Surroundings, name: str, number: str, pitch: int) -> None:
        self.world = world
        self.name = name
        self.people: dict[str, Person] = {"C": Person("C", number, pitch)}
        self.voices = [pitch]  # of everybody here
        self.waiting: list[Phone] = []  # phones that rang and have no role yet
        self.phones: list[Phone] = []  # kept for this script
        self.since: dict[str, float] = {}  # extension → when it became this script's
        self.paused: list[str] = []  # logins
        self.kept: list[str] = []  # extensions whose callers wait for them
        self.background: list[asyncio.Task[object]] = []
        self.hidden = False
        self.began_at = time.time()

    @property
    def caller(self) -> Person:
        """The citizen."""
        return self.people["C"]

    def person(self, name: str) -> Person:
        """Whoever has this letter; an operator is whose phone rang first, a number is made."""
        if name == "Z":  # whoever rings, also one who has a letter already
            phone = next((p for p in self.phones if p.call and p.call.state == "ringing"), None)
            if phone:
                self.people["Z"] = Person("Z", phone.extension, phone.pitch, phone.calls, phone)
            return self.people.get("Z") or Person("Z", "", 0)
        if name in self.people:
            return self.people[name]
        if name in OPERATORS:
            phone = self.waiting.pop(0) if self.waiting else None
            made = Person(name, phone.extension if phone else "", phone.pitch if phone else 0)
            made.phone = phone
            if phone:
                made.calls = phone.calls
        else:
            number, pitch = self.world.outside(self)
            made = Person(name, number, pitch)
            self.voices.append(pitch)
        self.people[name] = made
        return made

    def keep(self, phone: Phone) -> None:
        """A phone is this script's until its end."""
        if phone not in self.phones:
            taken = {other.pitch for other in self.phones}  # each phone here has its own voice
            phone.pitch = next(pitch for pitch in tones.OPERATORS if pitch not in taken)
            self.voices.append(phone.pitch)
            self.phones.append(phone)
            self.since[phone.extension] = time.time()

    def person_of(self, phone: Phone) -> Person | None:
        """Whose phone it is."""
        return next((p for p in self.people.values() if p.phone is phone), None)

    def _give(self, person: Person, phone: Phone) -> None:
        person.phone, person.number, person.pitch = phone, phone.extension, phone.pitch
        person.calls = phone.calls
        if phone in self.waiting:
            self.waiting.remove(phone)

    async def until[T](
        self, condition: Callable[[], T | None], what: str, limit: float = LIMIT
    ) -> T:
        """The first true value of the condition. Raises Stuck after `limit` seconds."""
        end = time.monotonic() + limit * self.world.patience
        while not (value := condition()):
            if time.monotonic() > end:
                raise Stuck(f"{what}: not after {limit:.0f} s")
            await asyncio.sleep(0.05)
        return value

    def talk_over(self) -> bool:
        """Whether no operator or number outside speaks with the caller any more."""
        return not any(p.talking() for p in self.people.values() if p.name != "C")

    def linkedid(self) -> str | None:
        """The call that this script's caller made, once the log tells of it."""
        calls = self.caller.calls
        return self.world.stories.linkedid(calls[0].call_id) if calls else None

    def events(self, kind: str, **fields: str) -> list[object]:
        """Records of that kind in this caller's story."""
        if not self.caller.calls:
            return []
        return [
            event
            for event in self.world.stories.of(self.caller.calls[0].call_id)
            if event.type == kind and all(event.fields[k] == v for k, v in fields.items())
        ]

    def number_of(self, name: str) -> str:
        """What is dialled to reach someone; a free operator is taken when he has no phone yet."""
        if name.isdigit() or name.startswith("+"):
            return name
        person = self.person(name)
        if name in OPERATORS:
            self._phone_of(person)
        return person.number

    def _phone_of(self, who: Person) -> Phone:
        if not who.phone:
            phone = self.world.free_phone(self)
            self.keep(phone)
            self._give(who, phone)
        assert who.phone  # given above
        return who.phone

    def behind(self, work: Awaitable[object]) -> None:
        """Have something done beside the steps."""
        self.background.append(asyncio.ensure_future(work))
