"""`python -m provisioning.local COMMAND`, called by `./run` after everything is installed."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from appliance.pbx.actions import ActionRefused, Unreachable
from provisioning.local import accounts, carrier, demo, site
from provisioning.local.place import Place
from provisioning.local.sipp import SippError

_EXPECTED_ERRORS = (site.SiteError, SippError, Unreachable, ActionRefused)


def main(arguments: list[str]) -> int:
    """Run a command; returns exit status 0 done, 1 failed, 2 wrong use, 130 interrupted."""
    folder = Path(os.environ.get("SITE_DIR") or site.SOURCE_ROOT / ".site").resolve()
    # Trials simulate the carrier themselves, so their site starts no carrier.
    place = Place(folder, bool(os.environ.get(site.CALLS_ITSELF_VARIABLE, "yes")))
    match arguments:
        case ["up"]:
            return _run_up(place)
        case ["down"]:
            print("stopped" if site.stop_site(place) else "nothing was running")
            return 0
        case ["callers", count] if count.isdigit() and int(count) > 0:
            return _run_callers(place, int(count))
        case ["foreground"]:
            return _run_foreground(place)
        case ["carrier"]:
            asyncio.run(carrier.run_carrier(place))
            return 0
        case ["supervise"]:
            site.run_keeper(place)
            return 0
    print("usage: ./run [up | down | callers N]", file=sys.stderr)
    return 2


def _run_up(place: Place) -> int:
    """Start the site in the background, unless it already runs and answers."""
    started_at = time.monotonic()
    if site.keeper_pid(place) and site.are_pages_answering(place) and site.is_sip_answering(place):
        print(f"{place.pages_url} runs already; logins: {place.description_file}")
        return 0
    site.start_site(place, tied=False)
    print(
        f"{place.pages_url} answers after {time.monotonic() - started_at:.1f} s; logins: "
        f"{place.description_file}"
    )
    return 0


def _run_callers(place: Place, count: int) -> int:
    if not site.keeper_pid(place):
        raise site.SiteError("no site is running; start it by ./run up")
    reports = demo.run_batch(place, count)
    print(demo.summarise_reports(reports))
    return 0 if all(report.ended_by for report in reports) else 1


def _run_foreground(place: Place) -> int:
    """Run the site with callers until Ctrl-C, SIGTERM or the end of the terminal."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        site.start_site(place, tied=True)
        _print_welcome(place)
        for line in demo.run_stream(place):
            print(line, flush=True)
    except KeyboardInterrupt:
        pass  # not an error: Ctrl-C and both signals are the way to end it
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        site.stop_site(place)
    return 0


def _print_welcome(place: Place) -> None:
    description = accounts.describe_site(place)
    rows = [("operator", description["operators"][0]), *description["users"].items()]
    print(f"\n  {description['web']}   (its certificate authority: {description['ca']})\n")
    for role, account in rows:
        print(f"  {role:<11} {account['login']:<11} {account['password']}")
    print(f"\n  Press Ready as {description['operators'][0]['login']} and a call will ring soon.")
    print("  Ctrl-C stops everything.\n", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except _EXPECTED_ERRORS as error:
        print(f"run: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
