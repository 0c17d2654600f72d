"""Simulated traffic for people to watch: `./run callers N`, and the stream of `./run`."""

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
from provisioning.local.callers import CallPlan, CallReport, CallRound
from provisioning.local.phones import PHONES_PORT, Handling, Phone, Phones, is_port_open
from provisioning.local.place import HOTLINE_NUMBER, Place
from provisioning.local.plans import CALLER_KINDS, Times

STREAM_CALLERS, BATCH_CALLERS = 400, 400  # the number of different callers of each
BATCH_SPACING_SECONDS = 0.4  # between the calls of a batch
STREAM_PAUSE_SECONDS = 12.0  # mean pause between calls of the stream
STREAM_OPERATORS = (
    7  # operators made ready by the stream: op02 to op08; op01 is left to the person who watches
)
REGISTER_INTERVAL_SECONDS = 600.0
DEFAULT_HANDLING = Handling(ring=4.0, talk=50.0)  # for a caller without a plan


class Traffic:
    """Phones and callers on a running site."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.folder = place.folder / "sipp"
        self.description: dict[str, Any] = json.loads(place.description_file.read_text("utf-8"))
        accounts = self.description["operators"]
        phones = [Phone(account["extension"], account["sip_password"]) for account in accounts]
        self.phones = Phones(
            place.box_address, place.phones_address, self.folder, phones, DEFAULT_HANDLING
        )
        self._started_phones = False

    def start_phones(self) -> None:
        """Start and register the phones; reuses phones that another process has started."""
        if not is_port_open(self.place.phones_address, PHONES_PORT):
            self.phones.start_phones(callers.handling_by_number([*stream_plans(), *batch_plans()]))
            self._started_phones = True
        self.phones.register_all()

    def stop_phones(self) -> None:
        """Stop the phones if `start_phones` started them."""
        if self._started_phones:
            self.phones.stop_phones()

    def make_operators_ready(self, at_least: int, first: int = 0) -> int:
        """Make operators ready until `at_least` are ready; returns how many are.

        Chooses among the operators from position `first` on.
        """
        site = settings.load_settings(self.place.config_file)
        db.open_database(site.paths.database)
        states = presence.states_by_login()
        logins = [operator["login"] for operator in self.description["operators"]]
        ready = [login for login in logins if states.get(login) == "ready"]
        # From both ends of the list in turn, so that every language has an operator.
        candidates = [login for login in _alternate_ends(logins[first:]) if login not in ready]
        for login in candidates[: max(0, at_least - len(ready))]:
            presence.choose_state(User.get(User.login == login), "ready")
        actions.apply_states(site)
        db.database.close()
        return max(at_least, len(ready))

    def place_calls(self, call_plans: list[CallPlan]) -> CallRound:
        """Place calls as planned, in addition to those that are going on."""
        folder = self.folder / f"round-{time.monotonic_ns()}"
        return callers.place_calls(
            call_plans, self.phones, self.place.carrier_address, folder, HOTLINE_NUMBER
        )


def run_batch(place: Place, count: int) -> list[CallReport]:
    """Place `count` mixed calls, print each outcome when the call ends; returns the reports."""
    traffic = Traffic(place)
    try:
        traffic.start_phones()
        ready = traffic.make_operators_ready(min(25, max(5, count)))
        print(f"{count} callers; {ready} operators are ready")
        pool = batch_plans()
        start = len(CALLER_KINDS) * random.randrange(BATCH_CALLERS // len(CALLER_KINDS))  # noqa: S311  no secret
        call_plans = [
            replace(pool[(start + i) % BATCH_CALLERS], after=BATCH_SPACING_SECONDS * i)
            for i in range(min(count, BATCH_CALLERS))
        ]
        call_round = traffic.place_calls(call_plans)
        reported_numbers: set[str] = set()
        while True:
            is_running = call_round.is_running
            for report in call_round.current_reports():
                if report.ended_at and report.plan.number not in reported_numbers:
                    reported_numbers.add(report.plan.number)
                    print(f"{_local_time(report.ended_at)}  {report}", flush=True)
            if not is_running:
                break
            time.sleep(0.3)
        reports = call_round.current_reports()
        call_round.remove_files()
        return reports
    finally:
        traffic.stop_phones()


def run_stream(place: Place) -> Iterator[str]:
    """Place calls for ever at a gentle pace; yields a line for each call that begins or ends."""
    traffic = Traffic(place)
    rounds: list[CallRound] = []
    try:
        traffic.start_phones()
        traffic.make_operators_ready(STREAM_OPERATORS, first=1)
        registered_at = time.monotonic()
        next_call = time.monotonic()
        pool = itertools.cycle(stream_plans())
        while True:
            if time.monotonic() >= next_call:
                plan = next(pool)
                rounds.append(traffic.place_calls([plan]))
                yield f"{_local_time(time.time())}  {plan.number}  calls"
                next_call = time.monotonic() + random.uniform(0.6, 1.4) * STREAM_PAUSE_SECONDS  # noqa: S311
            for call_round in [candidate for candidate in rounds if not candidate.is_running]:
                rounds.remove(call_round)
                yield f"{_local_time(time.time())}  {call_round.current_reports()[0]}"
                call_round.remove_files()
            if time.monotonic() - registered_at > REGISTER_INTERVAL_SECONDS:
                traffic.phones.register_all()
                registered_at = time.monotonic()
            time.sleep(0.2)
    finally:
        for call_round in rounds:
            call_round.remove_files()
        traffic.stop_phones()


def summarise_reports(reports: list[CallReport]) -> str:
    """The result of the calls in one line."""
    answered = sum(1 for report in reports if report.operator_extension)
    cut_off = [report for report in reports if not report.ended_by]
    line = f"{len(reports)} calls, {answered} spoke with an operator"
    return f"{line}, {len(cut_off)} cut off" if cut_off else line


def stream_plans() -> list[CallPlan]:
    """The callers of the stream: always the same, so that the phones can be prepared for them."""
    random_source = random.Random(1)  # noqa: S311  no secret
    kinds = random_source.choices(
        list(CALLER_KINDS),
        weights=[_STREAM_WEIGHTS.get(kind, 1) for kind in CALLER_KINDS],
        k=STREAM_CALLERS,
    )
    return [
        CALLER_KINDS[kind](
            plans.caller_number(i),
            Times(
                key=random_source.uniform(2, 7),
                ring=random_source.uniform(3, 5),
                talk=random_source.uniform(40, 60),
                short=random_source.uniform(1, 4),
                long=random_source.uniform(12, 40),
                stays=240,
            ),
        )
        for i, kind in enumerate(kinds)
    ]


def batch_plans() -> list[CallPlan]:
    """The callers of `./run callers`: every kind in turn, with short talks."""
    random_source = random.Random(2)  # noqa: S311  no secret
    kinds = list(CALLER_KINDS.values())
    return [
        kinds[i % len(kinds)](
            plans.caller_number(STREAM_CALLERS + i),
            Times(ring=random_source.uniform(1, 3), talk=random_source.uniform(5, 15)),
        )
        for i in range(BATCH_CALLERS)
    ]


_STREAM_WEIGHTS = {"rated": 8, "russian": 4, "caller_hangs_up": 4, "not_rated": 3}


def _alternate_ends(logins: list[str]) -> list[str]:
    """Reorder logins: first, last, second, last but one, and so on."""
    half = (len(logins) + 1) // 2
    pairs = itertools.zip_longest(logins[:half], reversed(logins[half:]))
    return [login for pair in pairs for login in pair if login]


def _local_time(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))
