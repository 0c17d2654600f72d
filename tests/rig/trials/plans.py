"""The call plan on which scripts are performed: every branch is reachable, waits are short."""

import datetime as dt
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from appliance.casework import hooks
from appliance.casework.appeals import registering
from appliance.core import clock, db
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.models import CalendarDay, User
from appliance.pbx import actions, config
from appliance.people import accounts
from appliance.telephony import directory, routing
from appliance.telephony.directory import DirectoryEntry
from appliance.telephony.routing import (
    Callback,
    HotlineNumber,
    Hours,
    Limits,
    Plan,
    Queueing,
    Route,
    Topic,
    Trunk,
)
from appliance.telephony.routing.plan import FollowUps
from provisioning.local.place import HOTLINE_NUMBER, Place

# The hotline's numbers, by the way their callers are received.
TOPICS_NUMBER, RUSSIAN_NUMBER, HOLIDAY_NUMBER, FULL_NUMBER = "1007", "1008", "1009", "1010"
BLOCKED_CALLER = "+998905000000"
# Numbers to which topics lead: each belongs to one script at a time.
TOPIC_NUMBERS = tuple(f"+99871300000{i}" for i in range(1, 7))
# Numbers of employees who are outside their hours, and of the last one's substitute.
AWAY_NUMBERS, SUBSTITUTE_NUMBER = tuple(f"+99871300000{i}" for i in range(6, 9)), "+998713000009"
_NAMES = {f"name_{language}": "Sinov" for language in ("uz_latn", "uz_cyrl", "ru")}
# numbers whose first trunk is dead, or refuses
DEAD_TRUNK_PREFIX, SPARE_TRUNK_PREFIX = (
    "+99878",
    "+99877",
)


def spare_carrier_address(place: Place) -> str:
    """The address of the second carrier."""
    return f"{place.network_prefix}.3"


def script_plan(place: Place) -> Plan:
    """The plan of the scripts."""
    codes = ("employment", "subsidy", "wage", "pension", "training", "migration")
    trunks = (
        Trunk("carrier", address=place.carrier_address),
        Trunk("spare", address=spare_carrier_address(place)),
        Trunk("dead", address=f"{place.network_prefix}.4"),
    )
    return Plan(
        trunks=trunks,
        follow_ups=FollowUps(requests=False),  # scripts place the calls back themselves
        routes=(
            Route(DEAD_TRUNK_PREFIX, ("dead", "spare")),
            Route(SPARE_TRUNK_PREFIX, ("carrier", "spare")),
            Route("", ("carrier", "spare")),
        ),
        numbers=(
            HotlineNumber(HOTLINE_NUMBER, topics=False, hours=False),
            HotlineNumber(TOPICS_NUMBER, topics=True, hours=False),
            HotlineNumber(RUSSIAN_NUMBER, languages=("ru",), topics=False, hours=False),
            HotlineNumber(HOLIDAY_NUMBER, topics=False, hours=True),
            HotlineNumber("", topics=False, hours=False),
        ),
        topics=(
            Topic("1", "Bandlik", "Занятость", "employment", "own_queue"),
            Topic("2", "Subsidiya", "Субсидии", "subsidy"),
            *(
                Topic(f"3{i}", "Xodim", "Сотрудник", codes[i - 1], "employee", number)
                for i, number in enumerate(TOPIC_NUMBERS, 1)
            ),
            Topic("3", "Xodimlar", "Сотрудники", ""),
            Topic("4", "Murojaatim", "Моё обращение", "", "self_service"),
        ),
        queueing=Queueing(
            ring=8,
            max_wait=45,
            fall_back_after=20,
            announce_every=0,
            autopause=True,
            returning_minutes=30,
        ),
        limits=Limits(transfer_ring=8, outgoing_ring=10),
        callback=Callback(offered=True, offer_every=30),
        hours=Hours(closed=False, holiday=True),
        blocked=(BLOCKED_CALLER,),
        shown=HOTLINE_NUMBER,
    )


def add_operators(place: Place, count: int) -> list[dict[str, Any]]:
    """Add `count` operators who speak both languages; returns their accounts as in site.json.

    They have phones only: no password opens their pages, and no password is hashed, which would
    take long.
    """
    operators = [
        {
            "login": f"trial{position:03}",
            "extension": str(2001 + position),
            "sip_password": secrets.token_urlsafe(18),
            "languages": [*accounts.CALL_LANGUAGES],
        }
        for position in range(count)
    ]
    with open_site(place), db.write_transaction():
        for operator in operators:
            User.create(
                login=operator["login"],
                name=operator["login"],
                role="operator",
                password_hash="",
                extension=operator["extension"],
                sip_password=operator["sip_password"],
                speaks=" ".join(operator["languages"]),
                created_at=clock.now(),
            )
    return operators


def install_plan(place: Place) -> None:
    """Put the scripts' plan in force on a running site, on a day that is a holiday."""
    with open_site(place) as site:
        today = dt.datetime.now(site.tz).date()
        for day in (today, today + dt.timedelta(days=1)):
            CalendarDay.replace(date=day, kind="holiday", working=False, **_NAMES).execute()
        _add_employees()
        _add_prompts(site)
        hooks.appeal_registered.connect()  # nobody is notified of it
        values = {"surname": "Sinov", "gist": "Sinov"}
        registering.register(
            values, operator=accounts.active_operators()[0], token="0" * 32, tz=site.tz
        )
        routing.save_plan(script_plan(place), by="trial")
        config.install_files(site)
        actions.reload_asterisk(site)
        actions.apply_states(site)


def _add_employees() -> None:
    """Add employees who are available during the hours of working days."""
    colleague = directory.save_employee(DirectoryEntry("Sinov", SUBSTITUTE_NUMBER), by="trial")
    for number in AWAY_NUMBERS:
        substitute = colleague.id if number == AWAY_NUMBERS[-1] else None
        directory.save_employee(
            DirectoryEntry("Sinov", number, "", "", "09:00-18:00", substitute), by="trial"
        )


def _add_prompts(site: Settings) -> None:
    """Give some sound to the prompts that only this plan needs, if they are not recorded yet."""
    for language in ("uz", "ru"):
        folder = site.paths.prompts / language
        for name in ("topics", "topics-3"):
            if not (folder / f"{name}.wav").exists():
                shutil.copy(folder / "thanks.wav", folder / f"{name}.wav")


@contextmanager
def open_site(place: Place) -> Iterator[Settings]:
    """The site's settings, with its database open in this process."""
    site = site_settings.load_settings(place.config_file)
    db.open_database(site.paths.database)
    try:
        yield site
    finally:
        db.database.close()
