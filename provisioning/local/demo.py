"""Simulated traffic for people to look at: `./run callers N`, and the stream of `./run`."""

import itertools
import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from appliance.core import db, settings
from appliance.models import User
from appliance.pbx import actions
from appliance.people import presence
from provisioning.local import callers, plans
from provisioning.local.callers import CallPlan, CallReport, Round
from provisioning.local.phones import PORT, Handling, Phone, Phones, listens
from provisioning.local.place import HOTLINE, Place
from provisioning.local.plans import KINDS, Times

STREAM, BATCH = 400, 400  # how many different callers each of the two has
SPACING = 0.4  # seconds between the calls of a batch
PAUSE = 12.0  # seconds between calls of the stream
CREW = 7  # operators that the stream makes ready: op02 to op08; op01 is left to the onlooker
REGISTER_EVERY = 600.0
OTHERWISE = Handling(ring=4.0, talk=50.0)  # for a caller who is none of ours


class Traffic:
    """Phones and callers on a running site."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.folder = place.folder / "sipp"
        self.description: dict[str, Any] = json.loads(place.description.read_text("utf-8"))
        accounts = self.description["operators"]
        phones = [Phone(one["extension"], one["sip_password"]) for one in accounts]
        self.phones = Phones(place.box, place.phones, self.folder, phones, OTHERWISE)
        self._own = False

    def open(self) -> None:
        """Switch the phones on, unless another process of ours has them on already."""
        if not listens(self.place.phones, PORT):
            self.phones.start(callers.handling([*stream_plans(), *batch_plans()]))
            self._own = True
        self.phones.register()

    def close(self) -> None:
        """Switch off what open switched on."""
        if self._own:
            self.phones.stop()

    def make_ready(self, at_least: int, first: int = 0) -> int:
        """Make operators ready until so many are, by position from `first`; returns how many."""
        site = settings.load(self.place.config)
        db.open_database(site.paths.database)
        states = presence.states()
        logins = [one["login"] for one in self.description["operators"]]
        ready = [login for login in logins if states.get(login) == "ready"]
        # From both ends of the list in turn, so that every language has somebody.
        rest = [login for login in _ends_in_turn(logins[first:]) if login not in ready]
        for login in rest[: max(0, at_least - len(ready))]:
            presence.choose_state(User.get(User.login == login), "ready")
        actions.put_states_in_force(site)
        db.database.close()
        return max(at_least, len(ready))

    def place_calls(self, planned: list[CallPlan]) -> Round:
        """Place calls as planned, next to others that may be under way."""
        folder = self.folder / f"round-{time.monotonic_ns()}"
        return callers.place(planned, self.phones, self.place.carrier, folder, HOTLINE)


def callers_command(place: Place, count: int) -> list[CallReport]:
    """Place that many mixed calls, print each one's outcome as it comes, return the reports."""
    traffic = Traffic(place)
    try:
        traffic.open()
        ready = traffic.make_ready(min(25, max(5, count)))
        print(f"{count} callers; {ready} operators are ready")
        pool = batch_plans()
        first = len(KINDS) * random.randrange(BATCH // len(KINDS))  # noqa: S311  no secret
        planned = [
            replace(pool[(first + i) % BATCH], after=SPACING * i) for i in range(min(count, BATCH))
        ]
        round_ = traffic.place_calls(planned)
        told: set[str] = set()
        while True:
            goes_on = round_.running
            for report in round_.reports():
                if report.ended_at and report.plan.number not in told:
                    told.add(report.plan.number)
                    print(f"{_clock(report.ended_at)}  {report}", flush=True)
            if not goes_on:
                break
            time.sleep(0.3)
        reports = round_.reports()
        round_.discard()
        return reports
    finally:
        traffic.close()


def stream(place: Place) -> Iterator[str]:
    """Call for ever at a gentle pace; yields a line for each call that begins or is over."""
    traffic = Traffic(place)
    under_way: list[Round] = []
    try:
        traffic.open()
        traffic.make_ready(CREW, first=1)
        registered = time.monotonic()
        next_call = time.monotonic()
        pool = itertools.cycle(stream_plans())
        while True:
            if time.monotonic() >= next_call:
                plan = next(pool)
                under_way.append(traffic.place_calls([plan]))
                yield f"{_clock(time.time())}  {plan.number}  calls"
                next_call = time.monotonic() + random.uniform(0.6, 1.4) * PAUSE  # noqa: S311
            for round_ in [r for r in under_way if not r.running]:
                under_way.remove(round_)
                yield f"{_clock(time.time())}  {round_.reports()[0]}"
                round_.discard()
            if time.monotonic() - registered > REGISTER_EVERY:
                traffic.phones.register()
                registered = time.monotonic()
            time.sleep(0.2)
    finally:
        for round_ in under_way:
            round_.discard()
        traffic.close()


def summary(reports: list[CallReport]) -> str:
    """What the callers met, in one line."""
    answered = sum(1 for report in reports if report.operator)
    cut = [report for report in reports if not report.ended_by]
    line = f"{len(reports)} calls, {answered} spoke with an operator"
    return f"{line}, {len(cut)} cut off" if cut else line


def stream_plans() -> list[CallPlan]:
    """The callers of the stream: always the same, so that the phones know them beforehand."""
    dice = random.Random(1)  # noqa: S311  no secret
    kinds = dice.choices(list(KINDS), weights=[_WEIGHTS.get(kind, 1) for kind in KINDS], k=STREAM)
    return [
        KINDS[kind](
            plans.number(i),
            Times(
                key=dice.uniform(2, 7),
                ring=dice.uniform(3, 5),
                talk=dice.uniform(40, 60),
                short=dice.uniform(1, 4),
                long=dice.uniform(12, 40),
                stays=240,
            ),
        )
        for i, kind in enumerate(kinds)
    ]


def batch_plans() -> list[CallPlan]:
    """The callers of `./run callers`: every kind in turn, with short talks."""
    dice = random.Random(2)  # noqa: S311  no secret
    kinds = list(KINDS.values())
    return [
        kinds[i % len(kinds)](
            plans.number(STREAM + i), Times(ring=dice.uniform(1, 3), talk=dice.uniform(5, 15))
        )
        for i in range(BATCH)
    ]


_WEIGHTS = {"rated": 8, "russian": 4, "caller_hangs_up": 4, "not_rated": 3}


def _ends_in_turn(logins: list[str]) -> list[str]:
    """First, last, second, last but one …"""
    half = (len(logins) + 1) // 2
    pairs = itertools.zip_longest(logins[:half], reversed(logins[half:]))
    return [login for pair in pairs for login in pair if login]


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))
