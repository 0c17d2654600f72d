"""A running site with people around it: who belongs to which script, and the site's facts."""

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
from provisioning.local.phones import number_tail
from provisioning.local.place import SIP_PORT, Place
from tests.rig.parties import CallParties, Phone, connect_parties
from tests.rig.trials import plans
from tests.rig.trials.cast import Cast
from tests.rig.trials.log_reader import EventLogReader
from tests.rig.trials.stage import Stage

CALLER_PREFIX, OUTSIDE_PREFIX = "+998902", "+998712"  # prefixes of the numbers of our people


class World:
    """The site and everybody around it."""

    def __init__(
        self,
        place: Place,
        limit_factor: float = 1.0,
        scripted: bool = False,
        more_operators: int = 0,
    ) -> None:
        """`scripted`: put the scripts' plan in force.

        `more_operators`: operators in addition to the site's own.
        """
        self.place = place
        self.scripted = scripted
        self.more_operators = more_operators
        self.settings: Settings
        self.users: dict[str, User] = {}  # by login
        self.limit_factor = limit_factor  # by which limits are multiplied on a busy machine
        self.facts: dict[str, Any] = json.loads(place.description_file.read_text("utf-8"))
        self.log_reader = EventLogReader(
            place.folder / "asterisk" / "log" / "cel-custom" / "events.csv"
        )
        self.parties: CallParties
        self.on_stray_call: Callable[[Call], None] = lambda call: call.refuse_call(486)
        self.began_at = time.time()
        self.strays: list[str] = []  # calls that nobody expected
        self._unanswered_logins: list[str] = []
        self._ready_lock = asyncio.Lock()
        self._active_casts: list[Cast] = []
        self._casts_by_number: dict[str, Cast] = {}  # by the caller's last nine digits
        self._casts_by_outside_number: dict[str, Cast] = {}
        self._casts_by_extension: dict[str, Cast] = {}
        self._lookup_tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(int(time.time()) % 10_000 * 100)
        self._voices = itertools.cycle(tones.CALLERS)
        self._outside_voices = itertools.cycle(tones.OUTSIDE_PARTIES)

    @contextlib.asynccontextmanager
    async def open_world(self) -> AsyncIterator["World"]:
        """Connect everybody's telephones and set all operators to ready."""
        operators = [
            *self.facts["operators"],
            *plans.add_operators(self.place, self.more_operators),
        ]
        # Pages' actions run in threads: each packet sent waits at most this long for them.
        sys.setswitchinterval(0.0005)
        if self.scripted:
            plans.install_plan(self.place)
        with plans.open_site(self.place) as self.settings:
            self.users = {user.login: user for user in accounts.active_operators()}
        async with connect_parties(self.place, operators) as self.parties:
            self.parties.on_ring, self.parties.on_outgoing_call = (
                self._handle_ring,
                self._handle_outgoing_call,
            )
            await self.run_command(
                "operator", "ready", *(operator["login"] for operator in operators)
            )
            reader = asyncio.create_task(self._read_log())
            try:
                async with Agent(
                    plans.spare_carrier_address(self.place), SIP_PORT, self.parties.carrier.box
                ) as spare:
                    spare.clock, spare.on_call = (
                        self.parties.carrier.clock,
                        self._handle_outgoing_call,
                    )
                    yield self
            finally:
                reader.cancel()

    async def run_command(self, *arguments: str) -> str:
        """The output of a command of the appliance. Raises SiteError when it fails."""
        process = await asyncio.create_subprocess_exec(
            str(site.APPLIANCE_PROGRAM),
            "--config",
            str(self.place.config_file),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, complaint = await process.communicate()
        if process.returncode:
            raise site.SiteError(f"{' '.join(arguments)}: {complaint.decode().strip()[-300:]}")
        return output.decode()

    async def export_rows(self) -> dict[str, dict[str, Any]]:
        """The ledger's rows since the world was opened, by the call's id."""
        begin = dt.datetime.fromtimestamp(self.began_at - 2, dt.UTC)
        output = await self.run_command(
            "ledger", "export", "--from", begin.isoformat(), "--to", "2099-01-01"
        )
        return {row["id"]: row for row in map(json.loads, output.splitlines())}

    def new_cast(self, name: str) -> Cast:
        """People for one script, with their own numbers and voices."""
        number = f"{CALLER_PREFIX}{next(self._numbers) % 1_000_000:06}"
        cast = Cast(self, name, number, next(self._voices))
        self._casts_by_number[number_tail(number)] = cast
        self._active_casts.append(cast)
        return cast

    def _cast_of_stage(self, stage: Stage) -> Cast:
        return next(cast for cast in self._active_casts if cast is stage)

    def new_outside_number(self, stage: Stage) -> tuple[str, int]:
        """A number outside that belongs to this script, and its voice."""
        number = f"{OUTSIDE_PREFIX}{next(self._numbers) % 1_000_000:06}"
        self._casts_by_outside_number[number_tail(number)] = self._cast_of_stage(stage)
        return number, next(self._outside_voices)

    def register_caller_number(self, stage: Stage, number: str) -> None:
        """Record that this script's caller calls from this number."""
        self._casts_by_number[number_tail(number)] = self._cast_of_stage(stage)

    def register_callee_number(self, stage: Stage, number: str) -> None:
        """Record that calls to this number are for this script's people."""
        self._casts_by_outside_number[number_tail(number)] = self._cast_of_stage(stage)

    def find_free_phone(self, stage: Stage) -> Phone:
        """A phone that nobody uses, reserved for this script."""
        phone = next(
            p for p in reversed(self.parties.phones) if p.extension not in self._casts_by_extension
        )
        self._casts_by_extension[phone.extension] = self._cast_of_stage(stage)
        return phone

    async def end_script(self, cast: Cast) -> None:
        """End this script: its people are free for others."""
        await cast.end_script()
        self._casts_by_number.pop(number_tail(cast.caller.number), None)
        self._active_casts.remove(cast)
        logins = cast.unanswered_logins()
        # Those who are not paused may ring at once, and must not refuse it as strangers.
        self._free_phones(phone for phone in cast.phones if phone.login not in logins)
        if logins:
            self._unanswered_logins += logins
            await self._set_ready_again()
            self._free_phones(phone for phone in cast.phones if phone.login in logins)

    def _free_phones(self, phones: Iterable[Phone]) -> None:
        for phone in phones:
            self._casts_by_extension.pop(phone.extension, None)
            phone.calls = []

    async def _set_ready_again(self) -> None:
        """Set paused operators to ready, by one command for all that wait for it."""
        async with self._ready_lock:
            logins, self._unanswered_logins = self._unanswered_logins, []
            if logins:
                await self.run_command("operator", "ready", *logins)

    def _cast_of_caller(self, caller: str) -> Cast | None:
        if caller in self._casts_by_extension:  # one of our phones
            return self._casts_by_extension[caller]
        if cast := self._casts_by_number.get(
            number_tail(caller)
        ) or self._casts_by_outside_number.get(number_tail(caller)):
            return cast
        return None

    def _handle_ring(self, phone: Phone, call: Call) -> None:
        cast = self._cast_of_caller(call.caller)
        hidden_casts = [candidate for candidate in self._active_casts if candidate.is_hidden]
        if not cast and hidden_casts and not call.caller.removeprefix("+").isdigit():
            call.send_ringing()  # the log will soon show whose call it is
            task = asyncio.create_task(self._assign_ring_by_log(phone, call, hidden_casts))
            self._lookup_tasks.add(task)
            task.add_done_callback(self._lookup_tasks.discard)
            return
        self._assign_ring(phone, call, cast)

    async def _assign_ring_by_log(self, phone: Phone, call: Call, hidden_casts: list[Cast]) -> None:
        """For a caller without a number: the newest leg to this phone shows whose call it is."""
        while call.state == "ringing":
            self.log_reader.read_new_events()
            leg = self.log_reader.newest_linkedid(f"PJSIP/{phone.extension}-", call.began_at)
            for cast in hidden_casts if leg else ():
                if cast.caller_linkedid() == leg:
                    self._assign_ring(phone, call, cast)
                    return
            await asyncio.sleep(0.05)

    def _assign_ring(self, phone: Phone, call: Call, cast: Cast | None) -> None:
        owner = self._casts_by_extension.setdefault(phone.extension, cast) if cast else None
        if not cast or owner is not cast:
            self.strays.append(f"{phone.extension} rung for {call.caller}")
            self.on_stray_call(call)
            return
        cast.handle_ring(phone, call)

    def _handle_outgoing_call(self, call: Call) -> None:
        cast = self._casts_by_number.get(
            number_tail(call.callee)
        ) or self._casts_by_outside_number.get(number_tail(call.callee))
        person = cast and next(
            (p for p in cast.people.values() if number_tail(p.number) == number_tail(call.callee)),
            None,
        )
        if not cast or not person:
            self.strays.append(f"{call.callee} called from outside")
            call.refuse_call(404)
            return
        cast.handle_outgoing_call(person, call)

    async def _read_log(self) -> None:
        while True:
            self.log_reader.read_new_events()
            await asyncio.sleep(0.1)
