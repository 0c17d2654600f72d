"""A running site, its phones and its callers."""

import datetime as dt
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from provisioning.local import callers
from provisioning.local.callers import CallPlan, CallReport, CallRound
from provisioning.local.phones import Phone, Phones
from provisioning.local.place import HOTLINE_NUMBER, Place
from tests.rig import forked
from tests.rig.waiting import wait_until


class Hotline:
    """A running site as its carrier, its phones and its technician see it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.description: dict[str, Any] = json.loads(place.description_file.read_text("utf-8"))
        self.recordings = Path(self.description["recordings"])
        accounts = [Phone(o["extension"], o["sip_password"]) for o in self.description["operators"]]
        self.phones = Phones(
            place.box_address, place.phones_address, place.folder / "sipp", accounts
        )
        self._round_number = 0

    def appliance(self, *arguments: str) -> str:
        """Run a command of the appliance and return its standard output."""
        process = forked.run_command(self.place.config_file, *arguments)
        process.check_returncode()
        return process.stdout

    def service_pid(self, name: str) -> int:
        """Return the process id of one of the site's services."""
        return int((self.place.run_folder / f"{name}.pid").read_text("ascii"))

    def kill_service(self, name: str) -> None:
        """Send SIGKILL to one of the site's services and wait until it is replaced."""
        before = self.service_pid(name)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: self.service_pid(name) != before)

    def place_calls(self, plans: Sequence[CallPlan]) -> CallRound:
        """Place the calls; the phones handle them as planned."""
        self._round_number += 1
        self.phones.start_phones(callers.handling_by_number(plans))
        self.phones.register_all()
        folder = self.place.folder / "sipp" / f"round-{self._round_number}"
        return callers.place_calls(
            plans, self.phones, self.place.carrier_address, folder, HOTLINE_NUMBER
        )

    def export_rows(self, reports: Sequence[CallReport]) -> dict[str, dict[str, Any]]:
        """Return the ledger's rows of these callers by caller number."""
        begin = min(r.sent_at or 0 for r in reports) - 2
        output = self.appliance(
            "ledger", "export", "--from", _iso_time(begin), "--to", _iso_time(begin + 86_400)
        )
        rows = [json.loads(line) for line in output.splitlines()]
        return {row["caller"]: row for row in rows}

    def settled_rows(self, reports: Sequence[CallReport], limit: float = 30) -> dict[str, Any]:
        """Wait until all calls are over and measured; return the ledger's rows by number."""
        answered_numbers = {r.plan.number for r in reports if r.operator_extension}
        numbers = {r.plan.number for r in reports}

        def complete_rows() -> dict[str, Any] | None:
            rows = self.export_rows(reports)
            are_over = numbers <= rows.keys() and all(rows[n]["ended_at"] for n in numbers)
            return (
                rows if are_over and all(rows[n]["recordings"] for n in answered_numbers) else None
            )

        return wait_until(complete_rows, limit, every=0.5)

    def ledger_balance(self, reports: Sequence[CallReport]) -> dict[str, Any]:
        """Return the ledger's balance of the period in which these calls arrived."""
        begin = min(r.sent_at or 0 for r in reports) - 2
        end = max(r.ended_at or 0 for r in reports)
        output = self.appliance(
            "ledger", "balance", "--from", _iso_time(begin), "--to", _iso_time(end), "--json"
        )
        return json.loads(output)


def _iso_time(timestamp: float) -> str:
    return dt.datetime.fromtimestamp(timestamp, dt.UTC).isoformat()
