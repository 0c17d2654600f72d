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

MISSING_VALUE = "-"  # for calls without a value: no language, no region of an appeal …

type Condition = Callable[[CallFilter, str], Expression]  # of a value; raises ValueError
type ValueText = Callable[[str, "Reader"], str]


@dataclass(frozen=True)
class Reader:
    """The user who reads a filter as text, and how dates and texts are shown to them."""

    user: "User"
    locale: str
    tz: ZoneInfo


@dataclass(frozen=True)
class ChoiceContext:
    """The language of the choices, and the values that the calls of the period have."""

    locale: str
    trunks: Sequence[str]
    numbers: Sequence[str]  # that were dialled


@dataclass(frozen=True)
class Dimension:
    """A property of a call by which reports group the calls."""

    expression: Callable[[FirstRecordColumn], Node]
    missing_label: str  # message id: the name of the calls without a value
    # locale → value → name, in the order of the list of values
    value_names: Callable[[str], Mapping[str, str]] = lambda locale: {}
    is_listed: bool = False  # lines are in the order of the names, not by number of calls

    def missing_name(self, locale: str) -> str:
        """Return the name of the calls without a value."""
        return locale_translations(locale).gettext(self.missing_label)


@dataclass(frozen=True)
class FilterDefinition:
    """One filter of calls; pages, exports, reports and SQL take all they need from it."""

    name: str  # in addresses and in stored reports
    label: str  # message id; "" for an added field
    examples: tuple[str, ...]  # values as they are written in an address
    condition: Condition
    value_text: ValueText  # of a valid value
    dimension: Dimension | None = None
    # value → name, offered by the page's form in the order of `form_position`
    choices: Callable[[ChoiceContext], Mapping[str, str]] | None = None
    form_position: int = 0
    is_personal: bool = False  # only for users who may read callers' numbers
    selects_outgoing: bool = False  # for lists of calls; the report counts incoming calls only
    includes_uncounted: bool = False  # rejected calls and test calls too

    def localized_label(self, locale: str) -> str:
        """Return the label in the language of `locale`."""
        return locale_translations(locale).gettext(self.label)


@dataclass(frozen=True)
class AddedFieldFilter(FilterDefinition):
    """The filter of a field that the site added to a form; its label is that of the form."""

    field_label: Callable[[str], str] = field(kw_only=True)  # locale → label

    def localized_label(self, locale: str) -> str:
        """Return the form's number and the field's label in the language of `locale`."""
        return self.field_label(locale)
