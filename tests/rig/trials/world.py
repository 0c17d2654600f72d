"""A running site with people around it: who belongs to which script, and what the site knows."""

import asyncio
import contextlib
import datetime as dt
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from appliance.core.settings import Settings
from appliance.models import User
from appliance.people import accounts
from appliance.sip import tones
from appliance.sip.agent import Agent
from appliance.sip.call import Call
from provisioning.local import site
from provisioning.local.phones import tail
from provisioning.local.place import SIP, Place
from tests.rig.parties import People, Phone, people
from tests.rig.trials import plans
from tests.rig.trials.cast import Cast
from tests.rig.trials.stage import Stage
from tests.rig.trials.stories import Stories

CALLERS, OUTSIDE = "+998902", "+998712"  # how the numbers of our people begin


class World:
    """The site and everybody around it."""

    def __init__(
        self, place: Place, patience: float = 1.0, scripted: bool = False, more: int = 0
    ) -> None:
        """`scripted`: the scripts' plan is put in force. `more`: operators beside the site's."""
        self.place = place
        self.scripted = scripted
        self.more = more
        self.settings: Settings
        self.users: dict[str, User] = {}  # by login
        self.patience = patience  # by which limits are stretched on a busy machine
        self.facts: dict[str, Any] = json.loads(place.description.read_text("utf-8"))
        self.stories = Stories(place.folder / "asterisk" / "log" / "cel-custom" / "events.csv")
        self.people: People
        self.stranger: Callable[[Call], None] = lambda call: call.refuse(486)
        self.began_at = time.time()
        self.strays: list[str] = []  # calls that nobody waited for
        self._vain: list[str] = []  # logins
        self._turn = asyncio.Lock()
        self._playing: list[Cast] = []
        self._casts: dict[str, Cast] = {}  # by the caller's last nine digits
        self._outside: dict[str, Cast] = {}
        self._owners: dict[str, Cast] = {}  # by extension
        self._looking: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(int(time.time()) % 10_000 * 100)
        self._voices = itertools.cycle(tones.CALLERS)
        self._outside_voices = itertools.cycle(tones.OUTSIDE)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["World"]:
        """Everybody at his telephone, all operators ready."""
        operators = [*self.facts["operators"], *plans.hire(self.place, self.more)]
        # What pages do is done in threads: each packet sent gives way to them for so long.
        sys.setswitchinterval(0.0005)
        if self.scripted:
            plans.install(self.place)
        with plans.opened(self.place) as self.settings:
            self.users = {user.login: user for user in accounts.operators()}
        async with people(self.place, operators) as self.people:
            self.people.rings, self.people.dialled = self._rang, self._dialled
            await self.appliance("operator", "ready", *(one["login"] for one in operators))
            reader = asyncio.create_task(self._read())
            try:
                async with Agent(plans.spare(self.place), SIP, self.people.carrier.box) as spare:
                    spare.pump, spare.taken = self.people.carrier.pump, self._dialled
                    yield self
            finally:
                reader.cancel()

    async def appliance(self, *arguments: str) -> str:
        """What a command of the appliance prints. Raises SiteError when it fails."""
        process = await asyncio.create_subprocess_exec(
            str(site.PROGRAM),
            "--config",
            str(self.place.config),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told, complaint = await process.communicate()
        if process.returncode:
            raise site.SiteError(f"{' '.join(arguments)}: {complaint.decode().strip()[-300:]}")
        return told.decode()

    async def export(self) -> dict[str, dict[str, Any]]:
        """The ledger's rows since the world was opened, by the call's id."""
        begin = dt.datetime.fromtimestamp(self.began_at - 2, dt.UTC)
        told = await self.appliance(
            "ledger", "export", "--from", begin.isoformat(), "--to", "2099-01-01"
        )
        return {row["id"]: row for row in map(json.loads, told.splitlines())}

    def cast(self, name: str) -> Cast:
        """People for one script, with numbers and voices of their own."""
        number = f"{CALLERS}{next(self._numbers) % 1_000_000:06}"
        made = Cast(self, name, number, next(self._voices))
        self._casts[tail(number)] = made
        self._playing.append(made)
        return made

    def _of(self, stage: Stage) -> Cast:
        return next(one for one in self._playing if one is stage)

    def outside(self, stage: Stage) -> tuple[str, int]:
        """A number outside that belongs to this script, and its voice."""
        number = f"{OUTSIDE}{next(self._numbers) % 1_000_000:06}"
        self._outside[tail(number)] = self._of(stage)
        return number, next(self._outside_voices)

    def known(self, stage: Stage, number: str) -> None:
        """This script's caller calls from this number."""
        self._casts[tail(number)] = self._of(stage)

    def takes(self, stage: Stage, number: str) -> None:
        """Calls to this number are for this script's people."""
        self._outside[tail(number)] = self._of(stage)

    def free_phone(self, stage: Stage) -> Phone:
        """A phone that nobody uses, kept for this script."""
        phone = next(p for p in reversed(self.people.phones) if p.extension not in self._owners)
        self._owners[phone.extension] = self._of(stage)
        return phone

    async def leave(self, cast: Cast) -> None:
        """This script is over: its people are free for others."""
        await cast.leave()
        self._casts.pop(tail(cast.caller.number), None)
        self._playing.remove(cast)
        vain = cast.vain()
        # Those who are not paused may be rung at once, and must not refuse it as strangers.
        self._free(phone for phone in cast.phones if phone.login not in vain)
        if vain:
            self._vain += vain
            await self._ready_again()
            self._free(phone for phone in cast.phones if phone.login in vain)

    def _free(self, phones: Iterable[Phone]) -> None:
        for phone in phones:
            self._owners.pop(phone.extension, None)
            phone.calls = []

    async def _ready_again(self) -> None:
        """Have those who were paused be ready, by one command for all that wait for it."""
        async with self._turn:
            vain, self._vain = self._vain, []
            if vain:
                await self.appliance("operator", "ready", *vain)

    def _owner(self, caller: str) -> Cast | None:
        if caller in self._owners:  # one of our phones
            return self._owners[caller]
        if cast := self._casts.get(tail(caller)) or self._outside.get(tail(caller)):
            return cast
        return None

    def _rang(self, phone: Phone, call: Call) -> None:
        cast = self._owner(call.caller)
        hidden = [other for other in self._playing if other.hidden]
        if not cast and hidden and not call.caller.removeprefix("+").isdigit():
            call.ring()  # whose it is, the log tells in a moment
            task = asyncio.create_task(self._rang_by_log(phone, call, hidden))
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)
            return
        self._rang_for(phone, call, cast)

    async def _rang_by_log(self, phone: Phone, call: Call, hidden: list[Cast]) -> None:
        """A caller without a number: the newest leg to this phone tells whose call it is."""
        while call.state == "ringing":
            self.stories.look()
            leg = self.stories.newest(f"PJSIP/{phone.extension}-", call.began_at)
            for cast in hidden if leg else ():
                if cast.linkedid() == leg:
                    self._rang_for(phone, call, cast)
                    return
            await asyncio.sleep(0.05)

    def _rang_for(self, phone: Phone, call: Call, cast: Cast | None) -> None:
        owner = self._owners.setdefault(phone.extension, cast) if cast else None
        if not cast or owner is not cast:
            self.strays.append(f"{phone.extension} rung for {call.caller}")
            self.stranger(call)
            return
        cast.rang(phone, call)

    def _dialled(self, call: Call) -> None:
        cast = self._casts.get(tail(call.called)) or self._outside.get(tail(call.called))
        person = cast and next(
            (p for p in cast.people.values() if tail(p.number) == tail(call.called)), None
        )
        if not cast or not person:
            self.strays.append(f"{call.called} called from outside")
            call.refuse(404)
            return
        cast.dialled(person, call)

    async def _read(self) -> None:
        while True:
            self.stories.look()
            await asyncio.sleep(0.1)
