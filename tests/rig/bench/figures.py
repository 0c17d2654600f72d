"""What reports cost beside their floors (tests/rig/bench/floors.py)."""

from collections.abc import Iterator
from functools import partial

from appliance.core import db
from appliance.core.settings import Settings
from appliance.reports import capacity, files
from appliance.reports.periods import Period
from appliance.telephony import calls
from tests.rig.bench import floors
from tests.rig.bench.statements import BALANCE
from tests.rig.bench.table import Row
from tests.rig.bench.timing import TRIES, least

_AIMS = {"monthly": (1.5, "6.3×")}  # times of the floor, before; of the others:
_AIM = 2.0


def rows(settings: Settings, period: Period, tries: int = TRIES) -> Iterator[Row]:
    """Each report of a period; the same figures by hand are asked first, and must be the same."""
    level = settings.calls.service_level
    connection, given = db.database.connection(), floors.given(period, level)
    for name in floors.FLOORS:
        build = partial(files.build, name, settings, period, "ru")
        if name == "capacity":
            build = partial(capacity.count, period, level)
        floors.check(name, build(), connection, given)
        ours = least(build, tries)
        floor = least(partial(floors.ask, name, connection, given), tries)
        aim, before = _AIMS.get(name, (_AIM, ""))
        yield Row(f"{name} report", 1000 * ours, "ms", 1000 * floor, aim, before=before)
    ours = least(partial(calls.balance, period.begin, period.end), tries)
    floor = least(lambda: [connection.execute(one.sql, given).fetchall() for one in BALANCE], tries)
    yield Row("balance", 1000 * ours, "ms", 1000 * floor, _AIM)
