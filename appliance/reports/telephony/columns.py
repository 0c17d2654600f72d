"""The columns of the report's tables: alike on the page, on paper and in the workbook."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A figure of each line; `kind`: count | share | rate | length."""

    figure: str  # of words.FIGURES; all but the share are of the line's tally
    kind: str = "rate"
    opens: Mapping[str, object] | None = None  # the conditions of the calls behind a count


COLUMNS = (
    Column("incoming", "count", {}),
    Column("share", "share"),
    Column("accepted", "count", {"outcome": "answered"}),
    Column("missed", "count", {"outcome": "missed"}),
    Column("answer_speed"),
    Column("service_level"),
    Column("talk", "length"),
    Column("registered", "count", {"appeal": 1}),
    Column("transferred", "count", {"transfer": 1}),
    Column("rating"),
    Column("rating_response"),
)
