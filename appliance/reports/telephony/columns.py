"""The columns of the report's tables, the same on page, paper, in the workbook and in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.core.i18n import N_


@dataclass(frozen=True)
class Column:
    """A column: a figure that each row of a table has.

    `kind`: count | share (a percentage of all calls) | rate (a number with one decimal) | length (a
    duration). `list_conditions` are the conditions of a call filter that select the calls counted
    in the column.
    """

    figure: str  # a property or field of CallTally; "share", which is computed for all rows, is not
    name: str  # a message id
    kind: str = "rate"
    list_conditions: Mapping[str, object] | None = None  # None: its calls cannot be listed


COLUMNS = (
    Column("incoming", N_("Calls received"), "count", {}),
    Column("share", N_("Share, %"), "share"),
    Column("accepted", N_("Accepted"), "count", {"outcome": "answered"}),
    Column("missed", N_("Missed"), "count", {"outcome": "missed"}),
    Column("answer_speed", N_("Answer speed, s")),
    Column("service_level", N_("Service level, %")),
    Column("talk", N_("Average talk time"), "length"),
    Column("registered", N_("With an appeal"), "count", {"appeal": 1}),
    Column("transferred", N_("Transferred calls"), "count", {"transfer": 1}),
    Column("rating", N_("Rating")),
    Column("rating_response", N_("Rated, %")),
)
