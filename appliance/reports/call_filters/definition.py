"""What a call filter declares: its name, its condition, its choices and its wording."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from peewee import Expression, Node

from appliance.core.i18n import locale_translations
from appliance.reports.call_filters.call_filter import CallFilter
from appliance.reports.call_filters.expressions import FirstRecordColumn

if TYPE_CHECKING:
    from appliance.models import User

MISSING_VALUE = "-"  # selects calls without a value: without language, region …

type Condition = Callable[[CallFilter, str], Expression]  # raises ValueError for an invalid value
type ValueText = Callable[[str, "Reader"], str]  # from a valid value to readable text


@dataclass(frozen=True)
class Reader:
    """Who reads a filter as text, and how dates and texts are shown to them."""

    user: "User | None"  # missing on paper, which anyone may read
    locale: str
    tz: ZoneInfo


@dataclass(frozen=True)
class ChoiceContext:
    """What the choices in the telephony page's form of filters depend on."""

    locale: str
    trunks: Sequence[str]  # that the period's calls used
    numbers: Sequence[str]  # that were dialled in the period


@dataclass(frozen=True)
class Dimension:
    """A property of calls by which reports group them, such as the region."""

    # the SQL for a call's value; the argument returns columns of its first appeal or call form
    expression: Callable[[FirstRecordColumn], Node]
    missing_label: str  # message id: the name of the calls without a value
    # the function from a locale to the names by value, in the order of the list of values; by
    # default values have no names and are shown unchanged
    value_names: Callable[[str], Mapping[str, str]] = lambda locale: {}
    is_listed: bool = False  # lines are in the order of `value_names`, not by number of calls

    def missing_name(self, locale: str) -> str:
        """Return the name of the group of calls without a value."""
        return locale_translations(locale).gettext(self.missing_label)


@dataclass(frozen=True)
class FilterDefinition:
    """One filter of calls; pages, exports, reports and SQL read all its properties from here."""

    name: str  # in URLs and in stored reports
    label: str  # message id; "" for an added field
    examples: tuple[str, ...]  # values as they are written in a URL
    condition: Condition  # the function from a call filter and a value to SQL
    value_text: ValueText  # the function from a valid value to readable text
    dimension: Dimension | None = None  # by which reports group calls, if they do
    # the function that returns the values to choose from in the telephony page's form: names by
    # value, if the form offers a choice
    choices: Callable[[ChoiceContext], Mapping[str, str]] | None = None
    form_position: int = 0  # the position in that form, from 1; 0: the form has no such filter
    is_personal: bool = False  # only for users who may read the numbers of callers
    # selects outgoing calls, for lists of calls; the report itself counts incoming calls only
    selects_outgoing: bool = False
    includes_uncounted: bool = False  # selects rejected calls and test calls too

    def localized_label(self, locale: str) -> str:
        """Return the label in the language of `locale`."""
        return locale_translations(locale).gettext(self.label)


@dataclass(frozen=True)
class AddedFieldFilter(FilterDefinition):
    """The filter of a field that the site added to the appeal form or the call form."""

    # the function from a locale to the label, with the number of the form: "№2: Topic"
    field_label: Callable[[str], str] = field(kw_only=True)

    def localized_label(self, locale: str) -> str:
        """Return the field's label after the number of its form, such as "№2: Topic".

        The appeal form is №1, the call form №2. The label is in the language of `locale`.
        """
        return self.field_label(locale)
