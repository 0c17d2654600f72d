"""What a caller can do in a script."""

import asyncio
import time
from typing import Any

from appliance.sip.call import Call
from tests.rig.trials.stage import Person, Stage, Stuck


class CallerSteps(Stage):
    """Steps of C."""

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
        call.media.first = self.voices
        who.calls.append(call)
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
            pause = time.monotonic() + 3.0
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
