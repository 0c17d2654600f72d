"""The plan that scripts are performed on: every branch within reach, short waits."""

import datetime as dt
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from appliance.casework import appeals
from appliance.core import clock, db
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.models import CalendarDay, User
from appliance.pbx import actions, config
from appliance.people import accounts
from appliance.telephony import directory, routing
from appliance.telephony.directory import Entry
from appliance.telephony.routing import (
    Callback,
    Hours,
    Limits,
    Number,
    Plan,
    Queueing,
    Route,
    Topic,
    Trunk,
)
from appliance.telephony.routing.shape import FollowUps
from provisioning.local.place import HOTLINE, Place

# Numbers of ours, by how their callers are received.
TOPICS, RUSSIAN, HOLIDAY, FULL = "1007", "1008", "1009", "1010"
BLOCKED = "+998905000000"
# Numbers that topics lead to: each belongs to one script at a time.
AUTOMATIC = tuple(f"+99871300000{i}" for i in range(1, 7))
# Numbers of employees who are out of their hours, and of a substitute of the last one's.
AWAY, SUBSTITUTE = tuple(f"+99871300000{i}" for i in range(6, 9)), "+998713000009"
_NAMES = {f"name_{language}": "Sinov" for language in ("uz_latn", "uz_cyrl", "ru")}
DEAD, SPARE = "+99878", "+99877"  # numbers whose first trunk is dead, or refuses


def spare(place: Place) -> str:
    """Where the second carrier is."""
    return f"{place.network}.3"


def wanted(place: Place) -> Plan:
    """The plan of the scripts."""
    codes = ("employment", "subsidy", "wage", "pension", "training", "migration")
    trunks = (
        Trunk("carrier", address=place.carrier),
        Trunk("spare", address=spare(place)),
        Trunk("dead", address=f"{place.network}.4"),
    )
    return Plan(
        trunks=trunks,
        follow_ups=FollowUps(requests=False),  # scripts place the calls back themselves
        routes=(
            Route(DEAD, ("dead", "spare")),
            Route(SPARE, ("carrier", "spare")),
            Route("", ("carrier", "spare")),
        ),
        numbers=(
            Number(HOTLINE, topics=False, hours=False),
            Number(TOPICS, topics=True, hours=False),
            Number(RUSSIAN, languages=("ru",), topics=False, hours=False),
            Number(HOLIDAY, topics=False, hours=True),
            Number("", topics=False, hours=False),
        ),
        topics=(
            Topic("1", "Bandlik", "Занятость", "employment", "own_queue"),
            Topic("2", "Subsidiya", "Субсидии", "subsidy"),
            *(
                Topic(f"3{i}", "Xodim", "Сотрудник", codes[i - 1], "employee", number)
                for i, number in enumerate(AUTOMATIC, 1)
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
        blocked=(BLOCKED,),
        shown=HOTLINE,
    )


def hire(place: Place, count: int) -> list[dict[str, Any]]:
    """Make so many more operators who speak both languages; their accounts as in site.json.

    They have phones only: no password opens their pages, so none is hashed, which takes long.
    """
    hired = [
        {
            "login": f"trial{position:03}",
            "extension": str(2001 + position),
            "sip_password": secrets.token_urlsafe(18),
            "languages": [*accounts.CALL_LANGUAGES],
        }
        for position in range(count)
    ]
    with opened(place), db.writing():
        for one in hired:
            User.create(
                login=one["login"],
                name=one["login"],
                role="operator",
                password_hash="",
                extension=one["extension"],
                sip_password=one["sip_password"],
                speaks=" ".join(one["languages"]),
                created_at=clock.now(),
            )
    return hired


def install(place: Place) -> None:
    """Put the scripts' plan in force on a running site, on a day that is a holiday."""
    with opened(place) as site:
        today = dt.datetime.now(site.tz).date()
        for day in (today, today + dt.timedelta(days=1)):
            CalendarDay.replace(date=day, kind="holiday", working=False, **_NAMES).execute()
        _employ()
        _speak(site)
        values = {"surname": "Sinov", "gist": "Sinov"}
        appeals.register(values, operator=accounts.operators()[0], token="0" * 32, tz=site.tz)
        routing.save(wanted(place), by="trial")
        config.install(site)
        actions.reload(site)
        actions.put_states_in_force(site)


def _employ() -> None:
    """Write down employees whose hours are those of working days."""
    other = directory.save(Entry("Sinov", SUBSTITUTE), by="trial")
    for number in AWAY:
        substitute = other.id if number == AWAY[-1] else None
        directory.save(Entry("Sinov", number, "", "", "09:00-18:00", substitute), by="trial")


def _speak(site: Settings) -> None:
    """Give the prompts that only this plan needs some sound, if nobody has spoken them yet."""
    for language in ("uz", "ru"):
        folder = site.paths.prompts / language
        for name in ("topics", "topics-3"):
            if not (folder / f"{name}.wav").exists():
                shutil.copy(folder / "thanks.wav", folder / f"{name}.wav")


@contextmanager
def opened(place: Place) -> Iterator[Settings]:
    """The site's settings, its database open in this process."""
    site = site_settings.load(place.config)
    db.open_database(site.paths.database)
    try:
        yield site
    finally:
        db.database.close()
