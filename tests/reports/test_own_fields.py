"""Fields that the manager added are counted: as a naive count does, whatever the fields are."""

import contextlib
import datetime as dt
import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from appliance.casework import appeals, call_forms, catalogs, forms
from appliance.casework.appeals import correcting
from appliance.casework.catalogs import upkeep
from appliance.casework.forms import editing
from appliance.core import clock
from appliance.core.i18n import written_in
from appliance.models import Call, FieldValue, FormVersion, User
from appliance.reports import telephony, xlsx
from appliance.reports.call_filters import CallFilter, from_address
from appliance.reports.periods import Period
from appliance.reports.telephony import calls as behind
from tests.casework.test_added_fields import FIELDS, PLAIN
from tests.casework.test_appeals import FULL, a_call, speaks
from tests.casework.test_form_editing import ANSWERS, WORDS, add, draft, put, seen

COUNTED = {"choice", "list", "place", "tick"}
numbers = itertools.count(1)


@pytest.fixture
def period(settings, monkeypatch: pytest.MonkeyPatch) -> Period:
    """The day of all calls here; the clock stands."""
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    day = moment.astimezone(settings.tz).date()
    return Period(day, day, settings.tz)


def take(operator: User) -> Call:
    """A call that the operator answered."""
    call = a_call(f"{next(numbers)}.7")
    Call.update(arrived_at=clock.now(), outcome="answered").where(Call.id == call.id).execute()
    speaks(operator, call)
    return Call.get_by_id(call.id)


def on_form_2(operator: User, call: Call, **values: str) -> Any:
    token = appeals.token_for(operator, call)
    return call_forms.register(values, operator=operator, token=token, tz=dt.UTC)  # type: ignore[arg-type]


def on_form_1(operator: User, call: Call | None, **values: str) -> Any:
    token = appeals.token_for(operator, call)
    return appeals.register(FULL | values, operator=operator, token=token, tz=dt.UTC)  # type: ignore[arg-type]


def told(settings, period: Period, **asked: str) -> dict[str, dict[str, int]]:
    """Key of an added field → code → calls; every figure opens as many."""
    call_filter = CallFilter(period, asked)
    report = telephony.build(settings, call_filter, "uz_Latn")
    found = {key: report.lines[key] for key in report.lines if key in report.own_fields}
    for key, lines in found.items():
        assert sum(line.share or 0 for line in lines) in (0, 100)
        for line in lines:
            its = from_address(period, call_filter.with_(**{key: line.key}).conditions.items())
            assert behind.count(its) == line.tally.incoming, (key, line.key)
    return {key: {line.key: line.tally.incoming for line in lines} for key, lines in found.items()}


def naive(period: Period) -> dict[str, dict[str, int]]:
    """The same from what was registered, as plainly as can be."""
    found = {}
    for form in ("1", "2"):
        rows = list(call_forms.registrations(form, period.begin, period.end))
        now = [version for version in FormVersion.select() if version.form == form][-1]
        for field in now.fields["fields"]:
            if field["kind"] not in COUNTED or field.get("personal"):
                continue
            if forms.product(form).field(field["name"]):
                continue
            of_call: dict[str, str] = {}
            for row in sorted(rows, key=lambda row: row["number"]):
                held = row["fields"].get(field["name"])
                if held and row["call"]:
                    of_call.setdefault(row["call"], held["code"] or "*")
            calls = [call.id for call in Call.select() if call.arrived_at >= period.begin]
            found[f"{form}.{field['name']}"] = dict(Counter(of_call.get(c, "-") for c in calls))
    return found


@given(wanted=FIELDS, data=st.data())
@trying(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
def test_whatever_the_fields_are_the_report_equals_the_naive_count(
    settings, nilufar, period, wanted: list[tuple[dict[str, Any], dict[str, Any]]], data
) -> None:
    FormVersion.delete().where(FormVersion.number > 1).execute()
    Call.update(arrived_at=period.begin - dt.timedelta(1)).execute()  # those of other examples
    groups = [code for code, _ in catalogs.choices("group", "ru")][:2]
    for form in forms.FORMS:
        for any_how, fits in wanted:
            with contextlib.suppress(forms.DefinitionError):
                add(form, **(any_how | fits | (PLAIN if fits else {})))
        with contextlib.suppress(editing.EditingError):
            put(form)
    values = st.sampled_from(["", "ha", "yoq", "1", "1718", "1726", "oʻzgacha", *groups])
    for _ in range(3):
        call = take(nilufar)
        for register, form in ((on_form_2, "2"), (on_form_1, "1")):
            if data.draw(st.booleans()):
                names = forms.in_force(form).names - forms.product(form).names
                register(nilufar, call, **{name: data.draw(values) for name in sorted(names)})
    assert told(settings, period) == naive(period)


@pytest.fixture
def group(settings) -> str:
    """A field of form №2 in force that chooses from a list of the site's own."""
    names = {"name_uz_latn": "Tillar", "name_uz_cyrl": "Тиллар", "name_ru": "Языки"}
    upkeep.add_list("tillar", names, "sherzod")
    columns = ("name_uz_latn", "name_uz_cyrl", "name_ru", "active_from", "active_until")
    for code, *values in (
        ("oz", "Oʻzbekcha", "Ўзбекча", "Узбекский", "", ""),
        ("qq", "Qoraqalpoqcha", "Қорақалпоқча", "Каракалпакский", "", ""),
    ):
        upkeep.add("tillar", code, dict(zip(columns, values, strict=True)), "sherzod")
    name = add(forms.CALL, list="tillar", label=WORDS | {"uz_Latn": "Til"})
    put(forms.CALL)
    return name


def test_values_are_counted_those_given_no_more_too(settings, nilufar, period, group) -> None:
    for code in ("oz", "oz", "qq", "Turkcha", ""):
        on_form_2(nilufar, take(nilufar), **{group: code})
    take(nilufar)  # without a form
    assert told(settings, period) == {f"2.{group}": {"oz": 2, "qq": 1, "*": 1, "-": 2}}
    draft(forms.CALL)
    editing.remove(forms.CALL, group, seen(forms.CALL), "sherzod")
    put(forms.CALL)
    assert told(settings, period)[f"2.{group}"]["oz"] == 2
    eve = period.first - dt.timedelta(days=1)
    before = Period(eve, eve, period.tz)
    assert told(settings, before) == {}  # left out, and none of those calls has it


def test_fields_narrow_together(settings, nilufar, period, group) -> None:
    other = add(forms.CALL, kind="choice", list="", options=ANSWERS)
    put(forms.CALL)
    for code, answer in (("oz", "ha"), ("oz", "yoq"), ("qq", "ha")):
        on_form_2(nilufar, take(nilufar), **{group: code, other: answer})
    found = told(settings, period, **{f"2.{group}": "oz"})
    assert found == {f"2.{group}": {"oz": 2}, f"2.{other}": {"ha": 1, "yoq": 1}}


def test_a_correction_is_counted_instead(settings, nilufar, period, group) -> None:
    made = on_form_2(nilufar, take(nilufar), **{group: "oz"})
    calendar = catalogs.working_calendar(settings)
    call_forms.correct(made, {group: "qq"}, "sherzod", calendar)
    assert told(settings, period) == {f"2.{group}": {"qq": 1}}
    name = add(kind="choice", list="", options=ANSWERS)
    put()
    appeal = on_form_1(nilufar, take(nilufar), **{name: "ha"})
    on_form_1(nilufar, None, **{name: "ha"})  # of no call
    assert told(settings, period)[f"1.{name}"] == {"ha": 1, "-": 1}
    correcting.correct(appeal, FULL | {name: "yoq"}, "sherzod", 1, calendar)
    assert told(settings, period)[f"1.{name}"] == {"yoq": 1, "-": 1}
    assert FieldValue.select().count() == 2


def test_files_have_a_table_for_each_field(settings, nilufar, period, group) -> None:
    on_form_2(nilufar, take(nilufar), **{group: "oz"})
    made = telephony.build(settings, CallFilter(period), "uz_Latn")
    title = "№2: Til"
    assert title in [sheet.name for sheet in telephony.as_book(made).sheets]
    assert xlsx.write(telephony.as_book(made))
    assert f"2.{group},Oʻzbekcha,1,100.0" in telephony.as_csv(made)
    assert title in telephony.as_page(made)
    [line] = telephony.as_json(made)[f"by_2.{group}"]
    assert (line["key"], line["name"], line["incoming"]) == ("oz", "Oʻzbekcha", 1)


def test_two_fields_of_the_same_words_have_sheets_of_their_own(settings, period) -> None:
    words = {"uz_Latn": "Ariza bergan shaxsning ish joyi haqida", "ru": "О месте", "uz_Cyrl": "Иш"}
    assert written_in(words["uz_Latn"], "Latn")
    names = [add(forms.CALL, label=words) for _ in range(2)]
    put(forms.CALL)
    made = telephony.build(settings, CallFilter(period), "uz_Latn")
    assert {f"2.{name}" for name in names} <= set(made.lines)
    assert xlsx.write(telephony.as_book(made))


def test_a_report_without_added_fields_is_as_it_was(settings, nilufar, period) -> None:
    on_form_2(nilufar, take(nilufar))
    add(forms.CALL, kind="text", list="")  # not chosen from anything
    add(forms.CALL, personal=True)
    put(forms.CALL)
    assert told(settings, period) == {}
