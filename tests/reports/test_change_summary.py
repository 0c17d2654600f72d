"""The annex on change requests equals a naive count and is the same in every kind of file."""

import csv
import datetime as dt
import io
import random
from pathlib import Path

import openpyxl
import pytest

from appliance.casework import catalogs
from appliance.casework.changes import requests, summary, terms
from appliance.core import clock
from appliance.models import ChangeRequest, User
from appliance.people import accounts
from appliance.reports import files, monthly, report_texts
from appliance.reports.periods import Period
from tests.reports import naive
from tests.reports.ledger_world import TZ
from tests.rig.once import fill_once

NOVEMBER = Period(dt.date(2026, 11, 1), dt.date(2026, 11, 30), TZ)
PERIODS = [
    NOVEMBER,
    Period(dt.date(2026, 10, 1), dt.date(2026, 10, 31), TZ),
    Period(dt.date(2026, 11, 1), dt.date(2026, 11, 12), TZ),
    Period(dt.date(2026, 12, 1), dt.date(2026, 12, 31), TZ),
]


def users_by_role() -> dict[str, User]:
    for login, role in (("bahodir", "ministry"), ("sherzod", "manager")):
        accounts.create_account(login, login, role, "parol-parol")
    return {user.role: user for user in User.select()}


@pytest.fixture(scope="module")
def database_file(tmp_path_factory) -> Path:
    """The file of the database with the requests."""
    return tmp_path_factory.mktemp("requests") / "site.db"


@pytest.fixture(scope="module")
def recorded_requests() -> list[dict]:
    """The requests with their later moves, filled once they exist."""
    return []


@pytest.fixture
def filled_requests(site, database_file, recorded_requests, monkeypatch):
    """A hundred requests from September to December, with their later moves and times."""
    fill_once(database_file, lambda: recorded_requests.extend(fill_requests(site, monkeypatch)))
    monkeypatch.setattr(clock, "now", lambda: dt.datetime(2027, 2, 1, tzinfo=TZ))
    return recorded_requests


def fill_requests(site, monkeypatch) -> list[dict]:
    calendar, users, rows = catalogs.working_calendar(site), users_by_role(), []
    chance = random.Random(7)  # noqa: S311

    def set_clock(moment: dt.datetime) -> dt.datetime:
        monkeypatch.setattr(clock, "now", lambda: moment)
        return moment

    for _number in range(100):
        asked_at = dt.datetime(2026, 9, 20, tzinfo=TZ) + dt.timedelta(
            minutes=chance.randrange(120000)
        )
        kind = chance.choice(list(terms.KINDS_BY_CODE))
        set_clock(asked_at)
        request = requests.create_change_request(users["ministry"], kind, "Nima", "Nega", calendar)
        requests.perform_request_action("accept", request, users["manager"], 1)
        row = {"kind": kind, "asked": asked_at, "due": request.due_at, "moves": []}
        moment, version = asked_at, 2
        for _turn in range(chance.randrange(4)):
            moment = set_clock(moment + dt.timedelta(hours=chance.randrange(1, 300)))
            is_done = len(row["moves"]) % 2 == 0
            action, role = ("finish", "manager") if is_done else ("send_back", "ministry")
            requests.perform_request_action(action, request, users[role], version, "Matn")
            version += 1
            row["moves"].append((moment, is_done))
        rows.append(row)
    return rows


@pytest.mark.parametrize("period", PERIODS, ids=lambda period: f"{period.last}")
def test_the_summary_equals_a_naive_count(filled_requests, period):
    rows = summary.summary_rows(period.begin, period.end)
    counted = naive.request_counts(filled_requests, period.begin, period.end)
    assert {row.kind: list(row.figures) for row in rows} == counted
    for carried, new, *rest in counted.values():
        assert carried + new == sum(rest)
    assert summary.total_figures(rows) == tuple(map(sum, zip(*counted.values(), strict=True)))


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_every_kind_of_file_has_the_same_figures(site, filled_requests, locale):
    report, text = (
        monthly.build_monthly_report(site, NOVEMBER, locale),
        report_texts.load_texts(locale).changes,
    )
    counted = naive.request_counts(filled_requests, NOVEMBER.begin, NOVEMBER.end)
    assert sum(map(sum, counted.values())) > 50
    listed = monthly.as_json(report)["change_requests"]
    assert {row["code"]: [row[name] for name in summary.FIGURES] for row in listed} == counted
    lines = csv.DictReader(io.StringIO(monthly.as_csv(report)))
    from_csv = {
        row["code"]: int(row["count"]) for row in lines if row["table"] == "change_requests"
    }
    assert from_csv == {
        f"{kind} {name}": count
        for kind, counts in counted.items()
        for name, count in zip(summary.FIGURES, counts, strict=True)
    }
    file = openpyxl.load_workbook(
        io.BytesIO(files.render_file("monthly", report, "xlsx")), data_only=True
    )
    sheet = [list(row) for row in file[text.title].iter_rows(values_only=True)]
    page = " ".join(monthly.as_page(report).split())
    for kind, counts in counted.items():
        assert [text.kinds[kind], *counts] in sheet
        cells = " ".join(f'<td class="n">{count}</td>' for count in counts).replace(
            "</td> ", "</td>"
        )
        assert f'<th scope="row">{text.kinds[kind]}</th> {cells}' in page


def test_the_current_month_is_counted_until_now(site, monkeypatch):
    now = dt.datetime(2026, 11, 18, 12, tzinfo=TZ)
    monkeypatch.setattr(clock, "now", lambda: now)
    calendar, user = catalogs.working_calendar(site), users_by_role()["ministry"]
    requests.create_change_request(user, "other", "Nima", "Nega", calendar)
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(hours=1))
    rows = {row.kind: row for row in summary.summary_rows(NOVEMBER.begin, NOVEMBER.end)}
    assert rows["other"] == summary.SummaryRow("other", asked=1, open=1)
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(days=2))
    rows = {row.kind: row for row in summary.summary_rows(NOVEMBER.begin, NOVEMBER.end)}
    assert rows["other"] == summary.SummaryRow("other", asked=1, overdue=1)
    assert ChangeRequest.select().count() == 1
