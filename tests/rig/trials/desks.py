"""The steps of pages and of the site itself in a script."""

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

    def _user_of_person(self, name: str) -> User:
        return self.world.users[self._phone_of_person(self.person_by_letter(name)).login]

    async def _run_action(self, action: Callable[..., object], *arguments: object) -> None:
        run_connected = database.connection_context()(action)  # closes the thread's own connection
        await asyncio.to_thread(run_connected, self.world.settings, *arguments)

    async def page_passes(self, operator: str, target: str) -> None:
        """P passes A E: transfers A's caller to E at once."""
        await self._run_action(
            actions.transfer_blind, self._user_of_person(operator), self.dialled_number(target)
        )

    async def page_consults(self, operator: str, target: str) -> None:
        """P consults A E: A calls E while the caller is on hold."""
        await self._run_action(
            actions.start_consultation, self._user_of_person(operator), self.dialled_number(target)
        )

    async def page_joins(self, operator: str) -> None:
        """P joins A: connects A's caller with the consulted person."""
        await self._run_action(actions.join_caller, self._user_of_person(operator))

    async def page_unites(self, operator: str) -> None:
        """P unites A: all three in one conference."""
        await self._run_action(actions.start_conference, self._user_of_person(operator))

    async def page_returns(self, operator: str) -> None:
        """P returns A: A is back with the caller."""
        await self._run_action(actions.return_to_caller, self._user_of_person(operator))

    async def page_dials(self, operator: str, target: str, reason: str = "page") -> None:
        """P dials A E [REASON]: A's phone rings first."""
        await self._run_action(
            actions.dial_number, self._user_of_person(operator), self.dialled_number(target), reason
        )

    async def page_ends(self, operator: str) -> None:
        """P ends A: hangs up A's talk."""
        linkedid = self.world.log_reader.linkedid_by_call_id(self.caller.calls[0].call_id)
        await self._run_action(
            actions.hang_up_phone,
            linkedid,
            self._phone_of_person(self.person_by_letter(operator)).extension,
        )

    async def page_keeps(self, operator: str, seconds: str) -> None:
        """P keeps A SECONDS: treats A's phone as one in a page; a caller waits SECONDS for it."""
        extension = self._phone_of_person(self.person_by_letter(operator)).extension
        self.resuming_extensions.append(extension)
        await self._set_resume_seconds(extension, seconds)

    async def _set_resume_seconds(self, extension: str, seconds: str) -> None:
        def set_variable(settings: Settings) -> None:
            with Connection(settings) as asterisk:
                asterisk.send_action("Setvar", Variable=f"RESUME_{extension}", Value=seconds)

        await self._run_action(set_variable)

    async def page_resumes(self, operator: str) -> None:
        """P resumes A: the page that had A's talk is gone, and has reported that."""
        session = self.person_by_letter(operator).calls[-1].call_id
        await self._run_action(
            actions.resume_talk,
            self._phone_of_person(self.person_by_letter(operator)).extension,
            session,
        )

    async def page_supervises(self, supervisor: str, operator: str, mode: str) -> None:
        """P supervises D A listen | whisper | barge."""
        await self._run_action(
            actions.supervise_talk,
            self._user_of_person(supervisor),
            self._user_of_person(operator),
            mode,
        )

    async def page_takes(self, supervisor: str, operator: str) -> None:
        """P takes D A: D takes over A's talk."""
        await self._run_action(
            actions.take_over_talk, self._user_of_person(supervisor), self._user_of_person(operator)
        )

    async def site_ready(self, operator: str) -> None:
        """S ready A: the operator is set to ready."""
        await self.world.run_command(
            "operator", "ready", self._phone_of_person(self.person_by_letter(operator)).login
        )

    async def site_pauses(self, operator: str) -> None:
        """S pauses A: the operator is set to pause."""
        login = self._phone_of_person(self.person_by_letter(operator)).login
        self.paused.append(login)
        await self.world.run_command("operator", "pause", login)

    async def site_notes(self, family: str, key: str, value: str) -> None:
        """S notes FAMILY KEY VALUE: stores the value in Asterisk's own database."""
        await self._run_ami_action("DBPut", Family=family, Key=key, Val=value)

    async def site_calls_back(self, reason: str = "callback", language: str = "uz") -> None:
        """S calls_back [REASON] [LANGUAGE]: places a call to C as the jobs do."""
        variables = f"OUT_REASON={reason},OUT_FOR=1,SPOKEN={language}"
        await self._run_ami_action(
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

    async def _run_ami_action(self, action: str, **fields: str) -> None:
        def run_ami_action() -> None:
            with Connection(self.world.settings) as asterisk:
                asterisk.send_action(action, **fields)

        await asyncio.to_thread(run_ami_action)
