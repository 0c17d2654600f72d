"""The people of one script, and what they can do."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from appliance.models import User
from appliance.pbx import actions
from appliance.pbx.actions import Refused
from appliance.pbx.ami import Connection
from provisioning.local.sip import tones
from provisioning.local.sip.call import Call
from provisioning.local.sip.parties import Phone

if TYPE_CHECKING:
    from provisioning.local.trials.world import World

OPERATORS = "ABDHI"
LIMIT = 40.0  # seconds that a step waits, unless it says otherwise
# Statuses by which a call is refused at once; "failing": by the first trunk only.
MANNERS = {"busy": 486, "declining": 603, "unknown": 404, "unreachable": 503, "failing": 503}
_STEP = re.compile(r"([A-Z]) (\w+(?: up| is)?)\s*(.*)")


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


class Cast:
    """Everybody of one script at work."""

    def __init__(self, world: "World", name: str, number: str, pitch: int) -> None:
        self.world = world
        self.name = name
        self.people: dict[str, Person] = {"C": Person("C", number, pitch)}
        self.waiting: list[Phone] = []  # phones that rang and have no role yet
        self.phones: list[Phone] = []  # kept for this script
        self.since: dict[str, float] = {}  # extension → when it became this script's
        self.paused: list[str] = []  # logins
        self.background: list[asyncio.Task[object]] = []
        self.hidden = False
        self.began_at = time.time()

    @property
    def caller(self) -> Person:
        """The citizen."""
        return self.people["C"]

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
        self.people[name] = made
        return made

    def keep(self, phone: Phone) -> None:
        """A phone is this script's until its end."""
        if phone not in self.phones:
            self.phones.append(phone)
            self.since[phone.extension] = time.time()

    def person_of(self, phone: Phone) -> Person | None:
        """Whose phone it is."""
        return next((p for p in self.people.values() if p.phone is phone), None)

    def rang(self, phone: Phone, call: Call) -> None:
        """A phone begins to ring for this script's caller."""
        self.keep(phone)
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
        call.media.pitch = person.pitch
        person.calls.append(call)
        first = call.agent.host == self.world.place.carrier
        _take(call, "" if person.manner == "failing" and not first else person.manner)

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

    # The caller.

    async def do_calls(self, who: Person, *how: str) -> None:
        """C calls [hidden] [inband] [mute] [refused] [to NUMBER] [diverted NUMBER]"""
        facts: dict[str, Any] = {}
        words = [*how]
        self.hidden = "hidden" in words
        if "inband" in words:
            facts["kinds"] = (8,)
        if "mute" in words:
            facts["silent"] = True
        if "diverted" in words:
            number = words[words.index("diverted") + 1]
            facts["more"] = [("Diversion", f"<sip:{number}@exchange.example>;reason=unconditional")]
        if "more" in words:
            facts["more"] = [(words[words.index("more") + 1], words[words.index("more") + 2])]
        if "from" in words:
            who.number = words[words.index("from") + 1]
            self.world.known(self, who.number)
        if "to" in words:
            facts["dialled"] = words[words.index("to") + 1]
        number = "" if self.hidden else who.number
        call = self.world.people.call(number, who.pitch, **facts)
        who.calls.append(call)
        self.world.placed(self, call)
        if "refused" in words:
            await self.until(lambda: call.over_at, "refused")
        else:
            await self.until(lambda: call.up_at or call.over_at, "the line answers")

    async def do_presses(self, who: Person, keys: str) -> None:
        """X presses KEYS, a second apart."""
        for key in keys:
            call = who.talking()
            if not call:
                raise Stuck("the call is over")
            call.media.press(key)
            await self._sent(call)
            if key != keys[-1]:
                await asyncio.sleep(1.0)

    async def _sent(self, call: Call) -> None:
        await self.until(lambda: not call.media.pressing or call.over_at, "keys sent")

    async def do_queues(self, who: Person, times: str = "1") -> None:
        """C queues [TIMES]: waits until he has joined a queue so often."""
        await self.until(
            lambda: len(self.events("APP_START", AppName="Queue")) >= int(times), "in the queue"
        )

    async def do_enters(self, who: Person, key: str, event: str) -> None:
        """C enters KEY EVENT: presses it until the log tells of one more such event."""
        call = who.call
        seen = len(self.events(event))

        def taken() -> object:
            return len(self.events(event)) > seen or call.over_at

        end = time.monotonic() + 90
        while not taken():
            if time.monotonic() > end:
                raise Stuck(f"no {event}")
            call.media.press(key)
            pause = time.monotonic() + 1.3
            while time.monotonic() < pause and not taken():
                await asyncio.sleep(0.1)
        if len(self.events(event)) == seen:
            raise Stuck(f"no {event}: the call is over")

    async def do_sees(self, _who: Person, event: str, times: str = "1") -> None:
        """C sees EVENT [TIMES]: waits until the log tells of it."""
        await self.until(lambda: len(self.events(event)) >= int(times), event, 60)

    async def do_rates(self, who: Person, mark: str) -> None:
        """C rates MARK: presses it until it is taken."""
        call = who.call
        await self.until(lambda: self.talk_over() or call.over_at, "the talk is over")
        while not call.over_at and not self.events("RATING"):
            call.media.press(mark)
            await self.until(
                lambda: self.events("RATING") or call.over_at or not call.media.pressing, "rating"
            )
            end = time.monotonic() + 1.2
            while time.monotonic() < end and not self.events("RATING") and not call.over_at:
                await asyncio.sleep(0.1)

    def talk_over(self) -> bool:
        """Whether no operator or number outside speaks with the caller any more."""
        return not any(p.talking() for p in self.people.values() if p.name != "C")

    def events(self, kind: str, **fields: str) -> list[object]:
        """Records of that kind in this caller's story."""
        if not self.caller.calls:
            return []
        return [
            event
            for event in self.world.stories.of(self.caller.calls[0].call_id)
            if event.type == kind and all(event.fields[k] == v for k, v in fields.items())
        ]

    # Whoever has a telephone.

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

    # The page, by the functions that its buttons call.

    def _user(self, name: str) -> User:
        return self.world.users[self._phone_of(self.person(name)).login]

    async def _act(self, action: Callable[..., object], *arguments: object) -> None:
        await asyncio.to_thread(action, self.world.settings, *arguments)

    async def page_passes(self, who: str, whom: str) -> None:
        """P passes A E: A's caller, at once."""
        await self._act(actions.blind, self._user(who), self.number_of(whom))

    async def page_consults(self, who: str, whom: str) -> None:
        """P consults A E."""
        await self._act(actions.consult, self._user(who), self.number_of(whom))

    async def page_joins(self, who: str) -> None:
        """P joins A: his caller with whom he consulted."""
        await self._act(actions.join, self._user(who))

    async def page_unites(self, who: str) -> None:
        """P unites A: all three."""
        await self._act(actions.conference, self._user(who))

    async def page_returns(self, who: str) -> None:
        """P returns A to his caller."""
        await self._act(actions.back, self._user(who))

    async def page_dials(self, who: str, whom: str, reason: str = "page") -> None:
        """P dials A E [REASON]: A's phone rings first."""
        await self._act(actions.dial, self._user(who), self.number_of(whom), reason)

    async def page_ends(self, who: str) -> None:
        """P ends A: hangs up his talk."""
        linkedid = self.world.stories.linkedid(self.caller.calls[0].call_id)
        await self._act(actions.hang_up, linkedid, self._phone_of(self.person(who)).extension)

    async def page_supervises(self, who: str, whom: str, mode: str) -> None:
        """P supervises D A listen | whisper | barge."""
        await self._act(actions.supervise, self._user(who), self._user(whom), mode)

    async def page_takes(self, who: str, whom: str) -> None:
        """P takes D A: D takes A's talk over."""
        await self._act(actions.take_over, self._user(who), self._user(whom))

    # The site.

    async def site_ready(self, who: str) -> None:
        """S ready A"""
        await self.world.appliance("operator", "ready", self._phone_of(self.person(who)).login)

    async def site_pauses(self, who: str) -> None:
        """S pauses A"""
        login = self._phone_of(self.person(who)).login
        self.paused.append(login)
        await self.world.appliance("operator", "pause", login)

    async def site_notes(self, family: str, key: str, value: str) -> None:
        """S notes FAMILY KEY VALUE in Asterisk's own database."""
        await self._command("DBPut", Family=family, Key=key, Val=value)

    async def site_calls_back(self, reason: str = "callback", language: str = "uz") -> None:
        """S calls_back [REASON] [LANGUAGE]: places a call to C as the jobs do."""
        variables = f"OUT_REASON={reason},OUT_FOR=1,SPOKEN={language}"
        await self._command(
            "Originate",
            Channel=f"Local/{self.caller.number}@outgoing-machine/n",
            Context="callback",
            Exten="s",
            Priority="1",
            Variable=variables,
            Timeout="30000",
            Async="true",
        )

    async def _command(self, action: str, **fields: str) -> None:
        def command() -> None:
            with Connection(self.world.settings) as asterisk:
                asterisk.act(action, **fields)

        await asyncio.to_thread(command)

    # Operators.

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
        phone.dial(self.number_of(whom))

    async def do_joins(self, who: Person) -> None:
        """A joins his two calls and leaves (REFER with Replaces)."""
        alive = [call for call in who.calls if call.state in ("up", "ringing")]
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
        assert who.phone  # noqa: S101  given above
        return who.phone

    def behind(self, work: Awaitable[object]) -> None:
        """Have something done beside the steps."""
        self.background.append(asyncio.ensure_future(work))

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
