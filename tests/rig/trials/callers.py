"""The steps of a caller in a script."""

import asyncio
import time
from typing import Any

from appliance.sip.call import Call
from tests.rig.trials.stage import Person, Stage, Stuck
from tests.rig.waiting import wait_within

TYPING_PAUSE_SECONDS = 1.0  # between two keys of one number
KEY_INTERVAL_SECONDS = 3.0  # until a key is pressed again that has had no effect
MARK_INTERVAL_SECONDS = 1.2  # until a mark is pressed again


class CallerSteps(Stage):
    """Steps of C, the caller."""

    async def do_calls(self, person: Person, *options: str) -> None:
        """C calls [hidden] [inband] [mute] [refused] [to NUMBER] [diverted NUMBER]"""
        call_fields: dict[str, Any] = {}
        words = [*options]
        self.is_hidden = "hidden" in words
        if "inband" in words:
            call_fields["kinds"] = (8,)
        if "mute" in words:
            call_fields["silent"] = True
        if "diverted" in words:
            number = words[words.index("diverted") + 1]
            call_fields["more"] = [
                ("Diversion", f"<sip:{number}@exchange.example>;reason=unconditional")
            ]
        if "more" in words:
            call_fields["more"] = [(words[words.index("more") + 1], words[words.index("more") + 2])]
        if "from" in words:
            person.number = words[words.index("from") + 1]
            self.world.register_caller_number(self, person.number)
        if "to" in words:
            call_fields["dialled"] = words[words.index("to") + 1]
        number = "" if self.is_hidden else person.number
        call = self.world.parties.call_hotline(number, person.pitch, **call_fields)
        call.media.likely_pitches = self.voices
        person.calls.append(call)
        if "refused" in words:
            await self.wait_for(lambda: call.over_at, "refused")
        else:
            await self.wait_for(lambda: call.up_at or call.over_at, "the line answers")

    async def do_presses(self, person: Person, keys: str) -> None:
        """X presses KEYS, TYPING_PAUSE_SECONDS apart."""
        for key in keys:
            call = person.active_call()
            if not call:
                raise Stuck("the call is over")
            call.media.press_keys(key)
            await self._wait_until_sent(call)
            if key != keys[-1]:
                await asyncio.sleep(TYPING_PAUSE_SECONDS)

    async def _wait_until_sent(self, call: Call) -> None:
        await self.wait_for(lambda: not call.media.has_pending_keys or call.over_at, "keys sent")

    async def do_queues(self, person: Person, count: str = "1") -> None:
        """C queues [TIMES]: waits until the caller has joined a queue that many times."""
        await self.wait_for(
            lambda: len(self.story_events("APP_START", AppName="Queue")) >= int(count),
            "in the queue",
        )

    async def do_enters(self, person: Person, key: str, event: str) -> None:
        """C enters KEY EVENT: presses the key until the log has one more such event."""
        call = person.newest_call
        count_before = len(self.story_events(event))

        def is_logged() -> object:
            return len(self.story_events(event)) > count_before or call.over_at

        end = time.monotonic() + 90
        while not is_logged():
            if time.monotonic() > end:
                raise Stuck(f"no {event}")
            call.media.press_keys(key)
            await wait_within(is_logged, KEY_INTERVAL_SECONDS)
        if len(self.story_events(event)) == count_before:
            raise Stuck(f"no {event}: the call is over")

    async def do_sees(self, _who: Person, event: str, count: str = "1") -> None:
        """C sees EVENT [TIMES]: waits until the log has the event."""
        await self.wait_for(lambda: len(self.story_events(event)) >= int(count), event, 60)

    async def do_rates(self, person: Person, mark: str) -> None:
        """C rates MARK: presses the mark until it is accepted."""
        call = person.newest_call
        await self.wait_for(lambda: self.is_talk_over() or call.over_at, "the talk is over")
        while not call.over_at and not self.story_events("RATING"):
            call.media.press_keys(mark)
            await self.wait_for(
                lambda: (
                    self.story_events("RATING") or call.over_at or not call.media.has_pending_keys
                ),
                "rating",
            )
            await wait_within(
                lambda: self.story_events("RATING") or call.over_at, MARK_INTERVAL_SECONDS
            )
