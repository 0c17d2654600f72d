"""The cost of reports compared with their floors (tests/rig/bench/floors.py)."""

from collections.abc import Iterator
from functools import partial

from appliance.core import db
from appliance.core.settings import Settings
from appliance.reports import capacity, files
from appliance.reports.periods import Period
from appliance.telephony import calls
from tests.rig.bench import floors
from tests.rig.bench.statements import BALANCE_TABLES
from tests.rig.bench.table import Row
from tests.rig.bench.timing import TRY_COUNT, least_cpu_seconds

# times of the floor, and the earlier result; the default is for all others
_RATIO_AIMS = {"monthly": (1.5, "6.3×")}
_DEFAULT_RATIO_AIM = 2.0


def report_cost_rows(settings: Settings, period: Period, tries: int = TRY_COUNT) -> Iterator[Row]:
    """Each report of a period, with its floor.

    Its figures are first compared with those of the floor's statements.
    """
    service_level = settings.calls.service_level
    connection, parameters = (
        db.database.connection(),
        floors.statement_parameters(period, service_level),
    )
    for name in floors.FLOOR_TABLES:
        build = partial(files.build_report, name, settings, period, "ru")
        if name == "capacity":
            build = partial(capacity.forecast_capacity, period, service_level)
        floors.check_figures(name, build(), connection, parameters)
        report_seconds = least_cpu_seconds(build, tries)
        floor_seconds = least_cpu_seconds(
            partial(floors.run_statements, name, connection, parameters), tries
        )
        aim, before = _RATIO_AIMS.get(name, (_DEFAULT_RATIO_AIM, ""))
        yield Row(
            f"{name} report", 1000 * report_seconds, "ms", 1000 * floor_seconds, aim, before=before
        )
    report_seconds = least_cpu_seconds(
        partial(calls.ledger_balance, period.begin, period.end), tries
    )
    floor_seconds = least_cpu_seconds(
        lambda: [connection.execute(table.sql, parameters).fetchall() for table in BALANCE_TABLES],
        tries,
    )
    yield Row("balance", 1000 * report_seconds, "ms", 1000 * floor_seconds, _DEFAULT_RATIO_AIM)
