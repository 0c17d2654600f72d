"""Fields that the manager added are counted as a naive count does, whatever the fields are."""

import contextlib
import datetime as dt
import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from appliance.casework import call_forms, catalogs, forms
from appliance.casework.appeals import correcting, registering
from appliance.casework.catalogs import upkeep
from appliance.casework.forms import drafts, editing
from appliance.core import clock
from appliance.core.i18n import is_in_script
from appliance.core.refusals import Refused
from appliance.models import Call, FieldValue, FormVersion, User
from appliance.reports import telephony, xlsx
from appliance.reports.call_filters import CallFilter, filter_from_query
from appliance.reports.periods import Period
from appliance.reports.telephony import calls as behind
from tests.casework.test_added_fields import FIELD_LISTS, PLAIN_LABELS
from tests.casework.test_form_editing import (
    ANSWER_OPTIONS,
    FIELD_LABELS,
    add_field,
    draft_mark,
    pending_draft,
    release_draft,
)
from tests.rig.appeals import FULL_FORM, create_call, start_talk

COUNTED_KINDS = {"choice", "list", "place", "tick"}
numbers = itertools.count(1)


@pytest.fixture
def period(settings, monkeypatch: pytest.MonkeyPatch) -> Period:
    """The day of all calls here; the clock does not advance."""
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    day = moment.astimezone(settings.tz).date()
    return Period(day, day, settings.tz)


def take_call(operator: User) -> Call:
    """Return a call that the operator answered."""
    call = create_call(f"{next(numbers)}.7")
    Call.update(arrived_at=clock.now(), outcome="answered").where(Call.id == call.id).execute()
    start_talk(operator, call)
    return Call.get_by_id(call.id)


def register_form_2(operator: User, call: Call, **values: str) -> Any:
    token = drafts.token_for(operator, call)
    return call_forms.register(values, operator=operator, token=token, tz=dt.UTC)  # type: ignore[arg-type]


def register_form_1(operator: User, call: Call | None, **values: str) -> Any:
    token = drafts.token_for(operator, call)
    return registering.register(FULL_FORM | values, operator=operator, token=token, tz=dt.UTC)  # type: ignore[arg-type]


def added_field_counts(settings, period: Period, **conditions: str) -> dict[str, dict[str, int]]:
    """Return key of an added field → code → calls; check that each figure opens as many calls."""
    call_filter = CallFilter(period, conditions)
    report = telephony.build_telephony_report(settings, call_filter, "uz_Latn")
    lines_by_field = {key: report.lines[key] for key in report.lines if key in report.added_fields}
    for key, lines in lines_by_field.items():
        assert sum(line.share or 0 for line in lines) in (0, 100)
        for line in lines:
            line_filter = filter_from_query(
                period, call_filter.with_conditions(**{key: line.key}).conditions.items()
            )
            assert behind.count_calls(line_filter) == line.tally.incoming, (key, line.key)
    return {
        key: {line.key: line.tally.incoming for line in lines}
        for key, lines in lines_by_field.items()
    }


def naive_counts(period: Period) -> dict[str, dict[str, int]]:
    """Count the same from the registered values, as simply as possible."""
    counts = {}
    for form in ("1", "2"):
        rows = list(call_forms.iterate_registrations(form, period.begin, period.end))
        now = [version for version in FormVersion.select() if version.form == form][-1]
        for field in now.fields["fields"]:
            if field["kind"] not in COUNTED_KINDS or field.get("personal"):
                continue
            if forms.product_definition(form).find_field(field["name"]):
                continue
            of_call: dict[str, str] = {}
            for row in sorted(rows, key=lambda row: row["number"]):
                value = row["fields"].get(field["name"])
                if value and row["call"]:
                    of_call.setdefault(row["call"], value["code"] or "*")
            calls = [call.id for call in Call.select() if call.arrived_at >= period.begin]
            counts[f"{form}.{field['name']}"] = dict(Counter(of_call.get(c, "-") for c in calls))
    return counts


@given(field_lists=FIELD_LISTS, data=st.data())
@trying(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
def test_with_any_fields_the_report_equals_the_naive_count(
    settings, nilufar, period, field_lists: list[tuple[dict[str, Any], dict[str, Any]]], data
) -> None:
    FormVersion.delete().where(FormVersion.number > 1).execute()
    Call.update(arrived_at=period.begin - dt.timedelta(1)).execute()  # the calls of other examples
    groups = [code for code, _ in catalogs.item_choices("group", "ru")][:2]
    for form in forms.FORMS:
        for any_how, fits in field_lists:
            with contextlib.suppress(Refused):
                add_field(form, **(any_how | fits | (PLAIN_LABELS if fits else {})))
        with contextlib.suppress(Refused):
            release_draft(form)
    values = st.sampled_from(["", "ha", "yoq", "1", "1718", "1726", "oʻzgacha", *groups])
    for _ in range(3):
        call = take_call(nilufar)
        for register, form in ((register_form_2, "2"), (register_form_1, "1")):
            if data.draw(st.booleans()):
                names = (
                    forms.definition_in_force(form).value_names
                    - forms.product_definition(form).value_names
                )
                register(nilufar, call, **{name: data.draw(values) for name in sorted(names)})
    assert added_field_counts(settings, period) == naive_counts(period)


@pytest.fixture
def group(settings) -> str:
    """A field of form №2 in force that offers a list of the site's own."""
    names = {"name_uz_latn": "Tillar", "name_uz_cyrl": "Тиллар", "name_ru": "Языки"}
    upkeep.add_list("tillar", names, "sherzod")
    columns = ("name_uz_latn", "name_uz_cyrl", "name_ru", "active_from", "active_until")
    for code, *values in (
        ("oz", "Oʻzbekcha", "Ўзбекча", "Узбекский", "", ""),
        ("qq", "Qoraqalpoqcha", "Қорақалпоқча", "Каракалпакский", "", ""),
    ):
        upkeep.add_item("tillar", code, dict(zip(columns, values, strict=True)), "sherzod")
    name = add_field(forms.CALL_FORM, list="tillar", label=FIELD_LABELS | {"uz_Latn": "Til"})
    release_draft(forms.CALL_FORM)
    return name


def test_values_are_counted_even_after_their_field_is_removed(
    settings, nilufar, period, group
) -> None:
    for code in ("oz", "oz", "qq", "Turkcha", ""):
        register_form_2(nilufar, take_call(nilufar), **{group: code})
    take_call(nilufar)  # without a form
    assert added_field_counts(settings, period) == {
        f"2.{group}": {"oz": 2, "qq": 1, "*": 1, "-": 2}
    }
    pending_draft(forms.CALL_FORM)
    editing.remove_field(forms.CALL_FORM, group, draft_mark(forms.CALL_FORM), "sherzod")
    release_draft(forms.CALL_FORM)
    assert added_field_counts(settings, period)[f"2.{group}"]["oz"] == 2
    eve = period.first - dt.timedelta(days=1)
    before = Period(eve, eve, period.tz)
    # left out, because no call of that day has it
    assert added_field_counts(settings, before) == {}


def test_conditions_on_fields_are_combined(settings, nilufar, period, group) -> None:
    other = add_field(forms.CALL_FORM, kind="choice", list="", options=ANSWER_OPTIONS)
    release_draft(forms.CALL_FORM)
    for code, answer in (("oz", "ha"), ("oz", "yoq"), ("qq", "ha")):
        register_form_2(nilufar, take_call(nilufar), **{group: code, other: answer})
    counts = added_field_counts(settings, period, **{f"2.{group}": "oz"})
    assert counts == {f"2.{group}": {"oz": 2}, f"2.{other}": {"ha": 1, "yoq": 1}}


def test_a_correction_replaces_the_counted_value(settings, nilufar, period, group) -> None:
    call_form = register_form_2(nilufar, take_call(nilufar), **{group: "oz"})
    calendar = catalogs.working_calendar(settings)
    call_forms.correct_call_form(call_form, {group: "qq"}, "sherzod", calendar)
    assert added_field_counts(settings, period) == {f"2.{group}": {"qq": 1}}
    name = add_field(kind="choice", list="", options=ANSWER_OPTIONS)
    release_draft()
    appeal = register_form_1(nilufar, take_call(nilufar), **{name: "ha"})
    register_form_1(nilufar, None, **{name: "ha"})  # of no call
    assert added_field_counts(settings, period)[f"1.{name}"] == {"ha": 1, "-": 1}
    correcting.correct_appeal(appeal, FULL_FORM | {name: "yoq"}, "sherzod", 1, calendar)
    assert added_field_counts(settings, period)[f"1.{name}"] == {"yoq": 1, "-": 1}
    assert FieldValue.select().count() == 2


def test_files_have_a_table_for_each_field(settings, nilufar, period, group) -> None:
    register_form_2(nilufar, take_call(nilufar), **{group: "oz"})
    report = telephony.build_telephony_report(settings, CallFilter(period), "uz_Latn")
    title = "№2: Til"
    assert title in [sheet.name for sheet in telephony.as_workbook(report).sheets]
    assert xlsx.write_workbook(telephony.as_workbook(report))
    assert f"2.{group},Oʻzbekcha,1,100.0" in telephony.as_csv(report)
    assert title in telephony.as_page(report)
    [line] = telephony.as_json(report)[f"by_2.{group}"]
    assert (line["key"], line["name"], line["incoming"]) == ("oz", "Oʻzbekcha", 1)


def test_two_fields_with_the_same_label_have_separate_sheets(settings, period) -> None:
    words = {"uz_Latn": "Ariza bergan shaxsning ish joyi haqida", "ru": "О месте", "uz_Cyrl": "Иш"}
    assert is_in_script(words["uz_Latn"], "Latn")
    names = [add_field(forms.CALL_FORM, label=words) for _ in range(2)]
    release_draft(forms.CALL_FORM)
    report = telephony.build_telephony_report(settings, CallFilter(period), "uz_Latn")
    assert {f"2.{name}" for name in names} <= set(report.lines)
    assert xlsx.write_workbook(telephony.as_workbook(report))


def test_fields_that_are_not_counted_leave_the_report_unchanged(settings, nilufar, period) -> None:
    register_form_2(nilufar, take_call(nilufar))
    add_field(forms.CALL_FORM, kind="text", list="")  # free text, not a choice
    add_field(forms.CALL_FORM, personal=True)
    release_draft(forms.CALL_FORM)
    assert added_field_counts(settings, period) == {}
