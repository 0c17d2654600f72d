"""`python -m provisioning.local COMMAND`, called by `./run` once everything is installed."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from appliance.pbx.actions import Refused, Unreachable
from provisioning.local import accounts, carrier, demo, site
from provisioning.local.place import Place
from provisioning.local.sipp import SippError

_EXPECTED = (site.SiteError, SippError, Unreachable, Refused)


def main(arguments: list[str]) -> int:
    """Exit status 0 done, 1 failed, 2 wrong use, 130 interrupted."""
    folder = Path(os.environ.get("SITE_DIR") or site.TOP / ".site").resolve()
    # Trials play the carrier themselves, so their site starts none.
    place = Place(folder, bool(os.environ.get(site.CALLS_ITSELF, "yes")))
    match arguments:
        case ["up"]:
            return _up(place)
        case ["down"]:
            print("stopped" if site.stop(place) else "nothing was running")
            return 0
        case ["callers", count] if count.isdigit() and int(count) > 0:
            return _callers(place, int(count))
        case ["foreground"]:
            return _foreground(place)
        case ["carrier"]:
            asyncio.run(carrier.serve(place))
            return 0
        case ["supervise"]:
            site.keep(place)
            return 0
    print("usage: ./run [up | down | callers N]", file=sys.stderr)
    return 2


def _up(place: Place) -> int:
    began = time.monotonic()
    if site.running(place) and site.pages_answer(place) and site.sip_answers(place):
        print(f"{place.url} runs already; logins: {place.description}")
        return 0
    site.start(place, tied=False)
    print(
        f"{place.url} answers after {time.monotonic() - began:.1f} s; logins: {place.description}"
    )
    return 0


def _callers(place: Place, count: int) -> int:
    if not site.running(place):
        raise site.SiteError("no site is running; start it by ./run up")
    reports = demo.callers_command(place, count)
    print(demo.summary(reports))
    return 0 if all(report.ended_by for report in reports) else 1


def _foreground(place: Place) -> int:
    """The site with callers, until Ctrl-C, SIGTERM or the end of the terminal."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        site.start(place, tied=True)
        _welcome(place)
        for line in demo.stream(place):
            print(line, flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        site.stop(place)
    return 0


def _welcome(place: Place) -> None:
    told = accounts.describe(place)
    rows = [("operator", told["operators"][0]), *told["users"].items()]
    print(f"\n  {told['web']}   (its certificate authority: {told['ca']})\n")
    for role, account in rows:
        print(f"  {role:<11} {account['login']:<11} {account['password']}")
    print(f"\n  Press Ready as {told['operators'][0]['login']} and a call will ring soon.")
    print("  Ctrl-C stops everything.\n", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except _EXPECTED as error:
        print(f"run: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
