"""Every declared call filter, by its examples: its SQL, its wording, the page, the export."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from markupsafe import escape

from appliance import demo
from appliance.casework import catalogs
from appliance.core.i18n import LOCALES, locale_translations
from appliance.core.settings import Settings
from appliance.demo.world import load_site_profile
from appliance.models import Call, FollowUp, QueueVisit, Ring, Talk, Transfer, User
from appliance.reports import call_filters, counting
from appliance.reports.call_filters import FILTERS, CallFilter, FilterDefinition, Reader, wording
from appliance.reports.periods import Period
from appliance.reports.telephony import calls as behind
from appliance.telephony import followups
from tests.rig.browser import Browser
from tests.rig.once import fill_once

FIRST_DAY, LAST_DAY = dt.date(2026, 10, 1), dt.date(2026, 10, 7)
DAYS_QUERY = {"from": "01.10.2026", "to": "07.10.2026"}
EXAMPLE_NUMBER = "+998901234567"  # of the examples of `caller`


@pytest.fixture(scope="module")
def database_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which the database of `busy` is stored."""
    return tmp_path_factory.mktemp("filtered") / "site.db"


@pytest.fixture
def busy(settings: Settings, database_file: Path) -> Period:
    """A week of calls of every kind that a filter distinguishes; returns its period."""
    fill_once(database_file, lambda: fill_database(settings))
    return Period(FIRST_DAY, LAST_DAY, settings.tz)


def fill_database(settings: Settings) -> None:
    demo.load_history(load_site_profile(settings, FIRST_DAY, LAST_DAY), 400, seed=8)
    answered, abandoned = (
        [call.id for call in Call.select().where(Call.outcome == outcome).order_by(Call.id)]
        for outcome in ("answered", "abandoned_queue")
    )
    Call.update(caller=EXAMPLE_NUMBER).where(Call.id << abandoned[:3]).execute()
    Call.update(outcome="rejected", synthetic=True).where(Call.id == answered[0]).execute()
    Call.update(outcome=None, ended_at=None).where(Call.id == answered[1]).execute()
    Call.update(direction="outbound", by="nilufar").where(Call.id == answered[2]).execute()
    Talk.update(party="outside").where(Talk.call == answered[2]).execute()
    QueueVisit.update(result=None, left_at=None).where(QueueVisit.call == answered[1]).execute()
    rung_visit = QueueVisit.get(QueueVisit.call == answered[3])
    Ring.create(
        visit=rung_visit,
        operator="nilufar",
        extension="1001",
        started_at=rung_visit.joined_at,
        result="no_answer",
    )
    for position, (kind, result) in enumerate(
        (("blind", "answered"), ("attended", "answered"), ("automatic", None))
    ):
        Transfer.create(
            call=answered[4 + position],
            position=0,
            kind=kind,
            to="1002",
            at=rung_visit.joined_at,
            result=result,
            returned=kind == "blind",
        )
    followups.rebuild_tasks()
    assert FollowUp.get_or_none(FollowUp.id == 1)


def readers(period: Period) -> list[Reader]:
    """The supervisor, once for each language."""
    user = User.get(User.login == "dilnoza")
    return [Reader(user, locale, period.tz) for locale in LOCALES]


def test_every_filter_works_in_sql_and_as_text(busy: Period, settings: Settings) -> None:
    everything = behind.count_calls(CallFilter(busy))
    for name, definition in FILTERS.items():
        assert definition.name == name
        counts, outgoing_too = [], []  # for each example
        for value in definition.examples:
            call_filter = call_filters.filter_from_query(
                busy, [(name, value)], catalogs.working_calendar(settings)
            )
            assert call_filter.conditions == {name: value}, (name, value)
            counts.append(behind.count_calls(call_filter))
            outgoing_too.append(behind.count_calls(call_filter.with_conditions(direction="both")))
            assert counting.count_all(call_filter, 20.0).incoming == counts[-1], (name, value)
            for reader in readers(busy):
                [(label, text)] = call_filters.describe_conditions(call_filter, reader)
                assert label == locale_translations(reader.locale).gettext(definition.label)
                assert reader.locale != "ru" or label != definition.label  # it is translated
                assert text, (name, value, reader.locale)
        assert any(counts) or any(outgoing_too), name
        assert set(counts) != {everything}, name


def test_every_filter_works_on_the_page_and_in_the_export(
    busy: Period, settings: Settings, login_as: Callable[[str], Browser]
) -> None:
    browser = login_as("supervisor")
    calendar = catalogs.working_calendar(settings)
    for name, definition in FILTERS.items():
        value = definition.examples[0]
        call_filter = CallFilter(busy, {name: value}, calendar)
        count = behind.count_calls(call_filter)
        [(label, text)] = call_filters.describe_conditions(call_filter, readers(busy)[0])
        query = DAYS_QUERY | {name: value}
        page = browser.get("/analytics/calls", query_string=query).text
        assert f'<span class="count">{count}</span>' in page, name
        assert str(escape(f"{label}: {text}")) in page, name
        with browser.get("/analytics/calls.csv", query_string=query) as export:
            rows = list(csv.DictReader(io.StringIO(export.text.removeprefix("\ufeff"))))
        assert len(rows) == count, name


def test_every_dimension_has_a_tab_and_every_offered_filter_a_field(
    busy: Period, login_as: Callable[[str], Browser]
) -> None:
    page = login_as("supervisor").get("/analytics", query_string=DAYS_QUERY).text
    gettext = locale_translations("uz_Latn").gettext
    for name in call_filters.DIMENSION_NAMES:
        assert f"by={name}" in page
        assert str(escape(gettext(FILTERS[name].label))) in page
    positions = {d.form_position: d for d in FILTERS.values() if d.form_position}
    fields = [page.index(f'id="{positions[n].name}" name=') for n in sorted(positions)]
    assert fields == sorted(fields)
    for offered in call_filters.offered_filters(busy, "uz_Latn"):
        assert offered.choices, offered.name
        assert str(escape(offered.missing_label)) in page
        for value, text in offered.choices.items():
            assert f'<option value="{value}">{escape(text)}</option>' in page


def test_personal_filters_are_ignored_for_those_who_may_not_read_numbers(
    busy: Period, login_as: Callable[[str], Browser]
) -> None:
    browser = login_as("ministry")
    everything = behind.count_calls(CallFilter(busy))
    personal = [d for d in FILTERS.values() if d.is_personal]
    assert {d.name for d in personal} >= {"caller", "task"}
    for definition in personal:
        query = DAYS_QUERY | {definition.name: definition.examples[0]}
        page = browser.get("/analytics/calls", query_string=query).text
        assert f'<span class="count">{everything}</span>' in page


def test_a_new_filter_is_one_row(
    busy: Period, login_as: Callable[[str], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = FilterDefinition(
        "ended_by",
        "Outcome",
        ("operator",),
        lambda call_filter, value: Call.ended_by == value,
        wording.labelled_text({"operator": "Operator"}),
    )
    monkeypatch.setitem(FILTERS, row.name, row)
    expected = Call.select().where(Call.direction == "inbound", Call.ended_by == "operator")
    expected = expected.where(~Call.synthetic).count()
    assert 0 < expected < behind.count_calls(CallFilter(busy))
    browser = login_as("supervisor")
    query = DAYS_QUERY | {"ended_by": "operator"}
    page = browser.get("/analytics/calls", query_string=query).text
    assert f'<span class="count">{expected}</span>' in page
    gettext = locale_translations("uz_Latn").gettext
    assert f"{gettext('Outcome')}: {gettext('Operator')}" in page
    report = browser.get("/analytics/telephony.json", query_string=query).json
    assert report["asked"] == {"ended_by": "operator"}
    assert report["total"]["incoming"] == expected
