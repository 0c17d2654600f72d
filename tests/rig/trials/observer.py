"""How a technician is informed of faults: the page Status, the command, the alarms."""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import requests

from appliance.core import sqlite
from provisioning.local import site
from provisioning.local.place import GUNICORN_PORT, Place
from tests.rig.trials import screen

REPORTING_WAYS = ("page", "command", "alarm")
# within which a fault must be reported, and its end
REPORT_LIMIT_SECONDS, CLEAR_LIMIT_SECONDS = (
    90.0,
    400.0,
)
_CHECK_LINE = re.compile(r'<li class="is-(\w+)" id="check-([^"]+)">(.*?)</li>', re.S)
_PAUSE_SECONDS = 2.0
_PAGE_TIMEOUT_SECONDS = 8.0


@dataclass
class FaultReport:
    """How one fault was reported: way → seconds after it was injected; and the reported text."""

    code: str
    text: str  # that the reported text must contain
    ways: Sequence[str] = REPORTING_WAYS
    injected_at: float = 0.0
    seconds_by_way: dict[str, float] = field(default_factory=dict)
    reported_text: str = ""
    cleared_after: float | None = None  # seconds after the repair

    @property
    def is_complete(self) -> bool:
        """Returns True if every way that can report the fault did, in time."""
        return all(
            self.seconds_by_way.get(way, REPORT_LIMIT_SECONDS + 1) <= REPORT_LIMIT_SECONDS
            for way in self.ways
        )


class SiteObserver:
    """Observes a running site, as often as it can."""

    def __init__(self, place: Place, technician: dict[str, str]) -> None:
        self._place = place
        self._session = screen.new_session(place)
        screen.sign_in(self._session, place.pages_url, technician)

    async def watch_faults(
        self, reports: Iterable[FaultReport], limit: float = REPORT_LIMIT_SECONDS
    ) -> None:
        """Observe until every fault was reported in every way, or the time is over."""
        open_reports = list(reports)
        while open_reports:
            await self._check_reports([report for report in open_reports if report.injected_at])
            now = time.monotonic()
            open_reports = [
                report
                for report in open_reports
                if not (report.is_complete or 0 < report.injected_at < now - limit - 5)
            ]
            await asyncio.sleep(_PAUSE_SECONDS)

    async def wait_until_cleared(
        self, reports: Sequence[FaultReport], limit: float = CLEAR_LIMIT_SECONDS
    ) -> None:
        """Observe until the checks are well and their alarms have ended."""
        started_at = time.monotonic()
        while time.monotonic() - started_at < limit:
            checks = await self.checks_by_command()
            alarms = self.open_alarms()
            for report in reports:
                state, text = checks.get(report.code, ("ok", ""))
                is_well = state != "fail" or report.text not in text
                if is_well and report.code not in alarms and report.cleared_after is None:
                    report.cleared_after = time.monotonic() - started_at
            if all(report.cleared_after is not None for report in reports):
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _check_reports(self, reports: list[FaultReport]) -> None:
        command, page = (
            asyncio.create_task(self.checks_by_command()),
            asyncio.to_thread(self.checks_on_page),
        )
        page_checks, alarms = await page, self.open_alarms()
        for report in reports:  # the page is in another language, so its text is not compared
            if page_checks.get(report.code, ("", ""))[0] == "fail":
                report.seconds_by_way.setdefault("page", time.monotonic() - report.injected_at)
        command_checks = await command
        for report in reports:
            state, text = command_checks.get(report.code, ("", ""))
            if state == "fail" and report.text in text:
                report.seconds_by_way.setdefault("command", time.monotonic() - report.injected_at)
                report.reported_text = report.reported_text or text
        for report in reports:
            if report.code in alarms:
                report.seconds_by_way.setdefault("alarm", time.monotonic() - report.injected_at)

    async def checks_by_command(self) -> dict[str, tuple[str, str]]:
        """Check → (state, text), as `appliance doctor` reports them."""
        process = await asyncio.create_subprocess_exec(
            *(
                str(site.APPLIANCE_PROGRAM),
                "--config",
                str(self._place.config_file),
                "doctor",
                "--json",
            ),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, complaint = await process.communicate()
        try:
            rows = json.loads(output)
        except ValueError:
            last_line = complaint.decode().strip().splitlines()[-1:]
            return {"command": ("fail", " ".join(last_line))}
        return {row["check"]: (row["state"], f"{row['seen']}. {row['advice']}") for row in rows}

    def checks_on_page(self) -> dict[str, tuple[str, str]]:
        """Check → (state, text) on the page Status.

        The page is read from its own process if the TLS front is down.
        """
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._session.cookies)
        headers = {"Cookie": cookies, "X-Forwarded-Proto": "https", "Host": self._host_name()}
        direct = f"http://{self._place.box_address}:{GUNICORN_PORT}/status/checks"
        for url, extra_headers in (
            (f"{self._place.pages_url}/status/checks", {}),
            (direct, headers),
        ):
            try:
                text = self._session.get(
                    url, headers=extra_headers, timeout=_PAGE_TIMEOUT_SECONDS
                ).text
            except requests.RequestException:
                continue
            return {
                code: (state, description) for state, code, description in _CHECK_LINE.findall(text)
            }
        return {}

    def open_alarms(self) -> set[str]:
        """The codes of alarms that were sent, and whose end was not."""
        file = self._place.folder / "data" / "appliance.db"
        try:
            with sqlite.connect(f"file:{file}?mode=ro", uri=True, timeout=2) as database:
                rows = database.execute("SELECT code FROM alarm WHERE told_at IS NOT NULL")
                return {code for (code,) in rows}
        except sqlite.OperationalError:
            return set()

    def _host_name(self) -> str:
        return self._place.pages_url.removeprefix("https://")
