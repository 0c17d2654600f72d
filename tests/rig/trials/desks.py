"""What pages and the site itself can do in a script."""

import asyncio
from collections.abc import Callable

from appliance.core.db import database
from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import actions
from appliance.pbx.ami import Connection
from tests.rig.trials.stage import Stage


class DeskSteps(Stage):
    """Steps of P, the page, by the functions that its buttons call, and of S, the site."""

    def _user(self, name: str) -> User:
        return self.world.users[self._phone_of(self.person(name)).login]

    async def _act(self, action: Callable[..., object], *arguments: object) -> None:
        there = database.connection_context()(action)  # the thread's own connection, closed
        await asyncio.to_thread(there, self.world.settings, *arguments)

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

    async def page_keeps(self, who: str, seconds: str) -> None:
        """P keeps A SECONDS: A's phone is as one in a page, whose caller waits for it so long."""
        extension = self._phone_of(self.person(who)).extension
        self.kept.append(extension)
        await self._keep(extension, seconds)

    async def _keep(self, extension: str, seconds: str) -> None:
        def keep(settings: Settings) -> None:
            with Connection(settings) as asterisk:
                asterisk.act("Setvar", Variable=f"RESUME_{extension}", Value=seconds)

        await self._act(keep)

    async def page_resumes(self, who: str) -> None:
        """P resumes A: the page that had A's talk is gone, and has said so."""
        session = self.person(who).calls[-1].call_id
        await self._act(actions.resume, self._phone_of(self.person(who)).extension, session)

    async def page_supervises(self, who: str, whom: str, mode: str) -> None:
        """P supervises D A listen | whisper | barge."""
        await self._act(actions.supervise, self._user(who), self._user(whom), mode)

    async def page_takes(self, who: str, whom: str) -> None:
        """P takes D A: D takes A's talk over."""
        await self._act(actions.take_over, self._user(who), self._user(whom))

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
            Codecs="alaw",
            Async="true",
        )

    async def _command(self, action: str, **fields: str) -> None:
        def command() -> None:
            with Connection(self.world.settings) as asterisk:
                asterisk.act(action, **fields)

        await asyncio.to_thread(command)
