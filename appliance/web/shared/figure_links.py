"""Links from a report's figures to the lists of the calls or appeals that they count."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from appliance.reports import balance, report_texts
from appliance.reports.balance import ExcludedCallCounts
from appliance.reports.periods import Period
from appliance.telephony.calls import Balance
from appliance.web.shell.language import locale


@dataclass(frozen=True)
class FigureLinks:
    """Builds the addresses of the lists of what a report's figures count in a period."""

    period: Period

    def calls(self, **conditions: object) -> str:
        """Return the address of the list of the period's calls that meet the conditions.

        `conditions` are parameters of the list (see call_filters.FILTERS); one that is None is left
        out.
        """
        return url_for("analytics.list_figure_calls", **self._list_parameters(conditions))

    def appeals(self, **conditions: object) -> str:
        """Return the address of a list of the appeals whose calls arrived in the period.

        `conditions` are parameters of the list of appeals; one that is None is left out.
        """
        return url_for("portal.list_appeals", **self._list_parameters(conditions), all=1)

    def request_forms(self, **conditions: object) -> str:
        """Return the address of the list of call forms that count as requests of their own.

        `conditions` are parameters of the list of registered calls; one that is None is left out.
        """
        parameters = self._list_parameters(conditions, ("since", "until"))
        return url_for("call_forms.list_registered_calls", **parameters, requests=1)

    def balance_links(self, counts: Balance, excluded: ExcludedCallCounts) -> list[tuple[str, str]]:
        """Return (address, text) of the total of the period's calls, and of each summand.

        `counts` is the balance: it says that all calls are the sum of the calls with each outcome.
        `excluded` are the numbers of calls in it that tables or rates exclude, such as test calls;
        the texts name them.
        """
        summands = balance.labelled_summands(
            counts, excluded, report_texts.load_texts(locale()).balance
        )
        return [(self.calls(all=1, outcome=outcome or None), text) for outcome, text in summands]

    def _list_parameters(
        self, conditions: dict[str, object], day_names: tuple[str, str] = ("from", "to")
    ) -> dict[str, Any]:
        """Return the URL parameters of a list: the days of the period, conditions without None.

        `day_names` are the names of the parameters for the first and the last day.
        """
        first_name, last_name = day_names
        days = {
            first_name: f"{self.period.first:%d.%m.%Y}",
            last_name: f"{self.period.last:%d.%m.%Y}",
        }
        return days | {name: value for name, value in conditions.items() if value is not None}
