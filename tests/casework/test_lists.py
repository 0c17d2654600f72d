"""The upkeep of lists: values added, changed, moved, retired; files that are shown first."""

import datetime as dt
import io
from typing import Any

import pytest

from appliance.casework import catalogs
from appliance.casework.appeals import form
from appliance.casework.catalogs import changes, upkeep
from appliance.casework.catalogs.upkeep import ListError
from appliance.casework.forms import uses
from appliance.core import clock
from appliance.core.audit.table import AuditEntry
from appliance.core.i18n import written_in
from appliance.models import CatalogItem
from tests.casework.test_appeals import FULL

pytestmark = pytest.mark.usefixtures("settings")

TODAY = dt.date(2026, 11, 28)
YOUTH = {"name_uz_latn": "Talabalar", "name_uz_cyrl": "Талабалар", "name_ru": "Студенты"}


def columns(**other: Any) -> dict[str, Any]:
    return {**YOUTH, "active_from": None, "active_until": None} | other


def value(code: str, catalog: str = "group") -> CatalogItem:
    return CatalogItem.get(CatalogItem.catalog == catalog, CatalogItem.code == code)


def written(catalog: str = "group") -> str:
    text = io.StringIO()
    catalogs.export_csv(catalog, text)
    return text.getvalue()


def refused(act: Any, *args: Any) -> str:
    with pytest.raises(ListError) as error:
        act(*args)
    return error.value.code


@pytest.mark.parametrize(
    ("text", "script", "right"),
    [
        ("Oʻqituvchi №1", "Latn", True),
        ("Oʻqituvchi бот", "Latn", False),
        ("Ўқитувчи", "Cyrl", True),
        ("Telegram бот", "Cyrl", True),
        ("Telegram bot", "Cyrl", False),
        ("Cтудент", "Cyrl", False),  # the first letter is Latin
        ("2026", "Cyrl", True),
    ],
)
def test_a_name_is_written_in_its_script(text: str, script: str, right: bool) -> None:
    assert written_in(text, script) is right


def test_a_value_is_added_changed_retired_and_taken_back() -> None:
    made = upkeep.add("group", "", columns(name_uz_latn="O'qituvchilar"), "sherzod")
    assert (made.code, made.name_uz_latn) == ("oqituvchilar", "Oʻqituvchilar")
    assert catalogs.choices("group", "ru")[-1] == ("oqituvchilar", "Студенты")
    upkeep.change(made, columns(name_ru="Учащиеся"), "sherzod")
    assert catalogs.label("group", "oqituvchilar", "ru") == "Учащиеся"
    upkeep.retire(value("oqituvchilar"), "sherzod")
    assert "oqituvchilar" not in dict(catalogs.choices("group", "ru"))
    upkeep.restore(value("oqituvchilar"), "sherzod")
    assert "oqituvchilar" in dict(catalogs.choices("group", "ru"))
    done = [row.action for row in AuditEntry.select().where(AuditEntry.who == "sherzod")]
    assert done == [f"list.item.{act}" for act in ("add", "change", "retire", "restore")]


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"name_ru": " "}, "names"),
        ({"name_uz_latn": "Талабалар"}, "name_uz_latn"),
        ({"name_uz_cyrl": "Talabalar"}, "name_uz_cyrl"),
        ({"name_ru": "Studenty"}, "name_ru"),
        ({"name_uz_latn": "Yoshlar"}, "same"),
        ({"name_uz_cyrl": "ЁШЛАР"}, "same"),
        ({"active_from": TODAY, "active_until": TODAY - dt.timedelta(1)}, "dates"),
    ],
)
def test_what_a_value_may_not_be(other: dict[str, Any], code: str) -> None:
    before = written()
    assert refused(upkeep.add, "group", "students", columns(**other), "sherzod") == code
    assert written() == before


def test_a_code_is_given_once() -> None:
    assert refused(upkeep.add, "group", "youth", columns(), "sherzod") == "known"
    assert refused(upkeep.add, "group", "Ёш", columns(), "sherzod") == "code"


def test_a_value_may_follow_another_of_its_name() -> None:
    youth = value("youth")
    names = {name: getattr(youth, name) for name in YOUTH}
    ends = columns(**names, active_until=TODAY)
    upkeep.change(youth, ends, "sherzod")
    after = TODAY + dt.timedelta(1)
    assert refused(upkeep.add, "group", "young", columns(**names), "sherzod") == "same"
    upkeep.add("group", "young", columns(**names, active_from=after), "sherzod")
    assert [catalogs.code_of("group", "yoshlar", day) for day in (TODAY, after)] == [
        "youth",
        "young",
    ]


def test_what_is_retired_is_not_taken_back_beside_its_successor() -> None:
    upkeep.retire(value("youth"), "sherzod")
    names = {name: getattr(value("youth"), name) for name in YOUTH}
    upkeep.add("group", "young", columns(**names), "sherzod")
    assert refused(upkeep.restore, value("youth"), "sherzod") == "same"


def test_choices_go_by_the_date() -> None:
    upkeep.add("group", "s", columns(active_from=TODAY, active_until=TODAY), "sherzod")
    for day, there in ((-1, False), (0, True), (1, False)):
        on = TODAY + dt.timedelta(day)
        assert ("s" in dict(catalogs.choices("group", "ru", on))) is there
        assert bool(catalogs.find("group", "студ", on)) is there
        assert (catalogs.code_of("group", "s", on) == "s") is there


def test_by_itself_the_date_is_todays(monkeypatch: pytest.MonkeyPatch) -> None:
    upkeep.add("group", "s", columns(active_until=TODAY), "sherzod")
    for day, there in ((TODAY, True), (TODAY + dt.timedelta(2), False)):
        now = dt.datetime.combine(day, dt.time(9), dt.UTC)
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        assert ("s" in dict(catalogs.choices("group", "ru"))) is there


def test_a_form_keeps_a_code_that_went_out_of_use() -> None:
    upkeep.retire(value("youth"), "sherzod")
    reading = form.read(FULL | {"group": "youth", "group_text": "Yoshlar"}, TODAY)
    assert reading.columns["group"] == "youth"
    assert "group:unlisted" in map(str, reading.doubts)


def test_what_reports_stand_on_keeps_its_meaning() -> None:
    other = value("subsidies", "direction")
    assert refused(upkeep.change, other, columns(), "sherzod") == "fixed"
    spelt = {name: getattr(other, name).upper() for name in YOUTH}
    upkeep.change(other, columns(**spelt), "sherzod")
    assert value("subsidies", "direction").name_ru == "ПОЛУЧЕНИЕ СУБСИДИЙ"
    upkeep.retire(value("subsidies", "direction"), "sherzod")
    assert "subsidies" in catalogs.labels("direction", "ru")


def test_values_change_places() -> None:
    codes = [code for code, _ in catalogs.choices("group", "ru")]
    upkeep.move(value(codes[1]), False, "sherzod")
    upkeep.move(value(codes[1]), False, "sherzod")  # at the top already
    upkeep.move(value(codes[-1]), True, "sherzod")
    assert [code for code, _ in catalogs.choices("group", "ru")] == [
        *(codes[1], codes[0]),
        *codes[2:],
    ]


def test_a_list_of_the_sites_own() -> None:
    made = upkeep.add_list("", YOUTH, "sherzod")
    assert (made.code, made.own) == ("talabalar", True)
    upkeep.add("talabalar", "", columns(name_uz_latn="Birinchi kurs"), "sherzod")
    assert catalogs.choices("talabalar", "ru") == [("birinchi_kurs", "Студенты")]
    assert catalogs.import_csv("talabalar", io.StringIO(written("talabalar"))) == 1
    upkeep.rename_list(made, YOUTH | {"name_ru": "Учащиеся"}, "sherzod")
    assert catalogs.catalog("talabalar").name_ru == "Учащиеся"
    assert uses.uses("talabalar") == {}
    for taken in ("talabalar", "direction", "region", "calendar"):
        assert refused(upkeep.add_list, taken, YOUTH, "sherzod") == "known"
    product = catalogs.catalog("group")
    assert refused(upkeep.rename_list, product, YOUTH, "sherzod") == "fixed"


def test_a_file_is_shown_first_and_then_done() -> None:
    lines = written().splitlines()
    youth = next(n for n, line in enumerate(lines) if line.startswith("youth,"))
    lines[youth] = lines[youth].replace("Молодёжь", "Молодые люди")
    lines[1] = lines[1].replace(",1,,", ",0,,")
    del lines[2]
    lines.append("students,99,Talabalar,Талабалар,Студенты,1,01.01.2027,")
    text, before = "\n".join(lines), written()
    plan = changes.plan("group", text)
    assert [(one.kind, one.code) for one in plan.changes] == [
        ("retired", lines[1].split(",")[0]),
        ("changed", "youth"),
        ("added", "students"),
    ]
    assert plan.changes[1].columns == {"name_ru": ("Молодёжь", "Молодые люди")}
    assert (plan.same, plan.left) == (len(lines) - 4, 1)
    assert written() == before
    changes.apply("group", text, plan.mark, "sherzod")
    assert value("students").active_from == dt.date(2027, 1, 1)
    assert not value(plan.changes[0].code).active
    assert changes.plan("group", text).changes == ()
    assert AuditEntry.get(AuditEntry.action == "list.import").detail == {
        "changes": {one.code: one.kind for one in plan.changes}
    }


def test_a_file_is_not_done_when_the_list_was_changed_meanwhile() -> None:
    text = written().replace("Молодёжь", "Молодые люди")
    mark = changes.plan("group", text).mark
    upkeep.retire(value("large_family"), "dilnoza")
    assert refused(changes.apply, "group", text, mark, "sherzod") == "changed"
    assert value("youth").name_ru == "Молодёжь"


HEAD = "code,position,name_uz_latn,name_uz_cyrl,name_ru\n"


@pytest.mark.parametrize(
    ("rows", "code", "line"),
    [
        (HEAD + "a,1,Talaba,Talaba,Студент\n", "name_uz_cyrl", 2),
        (HEAD + "a,1,Талаба,Талаба,Студент\n", "name_uz_latn", 2),
        (HEAD + "a,1,Talaba,Талаба,Student\n", "name_ru", 2),
        (HEAD + "a,x,Talaba,Талаба,Студент\n", "cell", 2),
        (HEAD + "a,1,Talaba,,Студент\n", "empty", 2),
        (HEAD + "a,1,Talaba,Талаба,Студент\n" * 2, "twice", 3),
        ("code,position\n", "column", 1),
        (HEAD, "rows", 0),
    ],
)
def test_a_wrong_file_names_its_line(rows: str, code: str, line: int) -> None:
    with pytest.raises(catalogs.SheetError) as error:
        changes.plan("group", rows)
    assert (error.value.code, error.value.line) == (code, line)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("a,1,Talaba,Талаба,\n", "names"),
        ("a b,1,Talaba,Талаба,Студент\n", "code"),
        ("a,1,Yoshlar,Талаба,Студент\n", "same"),
        ("youth,1,Talaba,Талаба,Студент\na,2,Yangi,Янги,СТУДЕНТ\n", "same"),
    ],
)
def test_a_file_may_not_make_what_the_page_may_not(row: str, code: str) -> None:
    assert refused(changes.plan, "group", HEAD + row) == code


def test_a_file_keeps_what_reports_stand_on() -> None:
    row = "complaint,2,Taklif boshqacha,Таклиф бошқача,Другое предложение\n"
    assert refused(changes.plan, "appeal_type", HEAD + row) == "fixed"
