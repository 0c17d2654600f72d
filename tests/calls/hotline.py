"""A running site, its phones and its callers."""

import datetime as dt
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from provisioning.local import callers
from provisioning.local.callers import CallPlan, CallReport, Round
from provisioning.local.phones import Phone, Phones
from provisioning.local.place import HOTLINE, Place
from tests.rig import forked
from tests.rig.waiting import until


class Hotline:
    """A running site, as its carrier, its phones and its technician see it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.facts: dict[str, Any] = json.loads(place.description.read_text("utf-8"))
        self.recordings = Path(self.facts["recordings"])
        accounts = [Phone(o["extension"], o["sip_password"]) for o in self.facts["operators"]]
        self.phones = Phones(place.box, place.phones, place.folder / "sipp", accounts)
        self._round = 0

    def appliance(self, *arguments: str) -> str:
        """What a command of the appliance prints."""
        done = forked.command(self.place.config, *arguments)
        done.check_returncode()
        return done.stdout

    def pid(self, name: str) -> int:
        """The present process of one of the site's services."""
        return int((self.place.run / f"{name}.pid").read_text("ascii"))

    def kill(self, name: str) -> None:
        """kill -9 one of the site's services and wait until another has taken its place."""
        before = self.pid(name)
        os.kill(before, signal.SIGKILL)
        until(lambda: self.pid(name) != before)

    def call(self, planned: Sequence[CallPlan]) -> Round:
        """Place the calls; the phones take them as planned."""
        self._round += 1
        self.phones.start(callers.handling(planned))
        self.phones.register()
        folder = self.place.folder / "sipp" / f"round-{self._round}"
        return callers.place(planned, self.phones, self.place.carrier, folder, HOTLINE)

    def export(self, reports: Sequence[CallReport]) -> dict[str, dict[str, Any]]:
        """The ledger's rows of these callers, by their number."""
        begin = min(r.sent_at or 0 for r in reports) - 2
        told = self.appliance(
            "ledger", "export", "--from", _iso(begin), "--to", _iso(begin + 86_400)
        )
        rows = [json.loads(line) for line in told.splitlines()]
        return {row["caller"]: row for row in rows}

    def settled(self, reports: Sequence[CallReport], limit: float = 30) -> dict[str, Any]:
        """The ledger's rows once every call is over and its sound measured."""
        spoke = {r.plan.number for r in reports if r.operator}
        numbers = {r.plan.number for r in reports}

        def rows() -> dict[str, Any] | None:
            found = self.export(reports)
            over = numbers <= found.keys() and all(found[n]["ended_at"] for n in numbers)
            return found if over and all(found[n]["recordings"] for n in spoke) else None

        return until(rows, limit, every=0.5)

    def balance(self, reports: Sequence[CallReport]) -> dict[str, Any]:
        """The balance of the time in which these calls came."""
        begin = min(r.sent_at or 0 for r in reports) - 2
        end = max(r.ended_at or 0 for r in reports)
        told = self.appliance(
            "ledger", "balance", "--from", _iso(begin), "--to", _iso(end), "--json"
        )
        return json.loads(told)


def _iso(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat()
