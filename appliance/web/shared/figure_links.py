"""The addresses of the lists behind a report's figures."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from appliance.reports import balance, report_texts
from appliance.reports.balance import ExcludedCalls
from appliance.reports.periods import Period
from appliance.telephony.calls import Balance
from appliance.web.shell.language import locale


@dataclass(frozen=True)
class FigureLinks:
    """The addresses of the lists behind a report's figures."""

    period: Period

    def calls(self, **conditions: object) -> str:
        """Return the address of a list of calls, by conditions of call_filters.FILTERS."""
        return url_for("analytics.list_figure_calls", **self._address(conditions))

    def appeals(self, **conditions: object) -> str:
        """Return the address of a list of appeals by the arrival of their call.

        The conditions are those of the list of appeals.
        """
        return url_for("portal.list_appeals", **self._address(conditions), all=1)

    def balance_links(self, counts: Balance, other_calls: ExcludedCalls) -> list[tuple[str, str]]:
        """Return (address, text) of the balance's total and of each of its summands."""
        summands = balance.labelled_summands(
            counts, other_calls, report_texts.load_texts(locale()).balance
        )
        return [(self.calls(all=1, outcome=outcome or None), text) for outcome, text in summands]

    def _address(self, conditions: dict[str, object]) -> dict[str, Any]:
        days = {"from": f"{self.period.first:%d.%m.%Y}", "to": f"{self.period.last:%d.%m.%Y}"}
        return days | {name: value for name, value in conditions.items() if value is not None}
