"""Maintaining lists: values added, changed, moved, retired; imports with a preview."""

import datetime as dt
import io
from typing import Any

import pytest

from appliance.casework import catalogs
from appliance.casework.appeals import form
from appliance.casework.catalogs import changes, upkeep
from appliance.casework.forms import uses
from appliance.core import clock
from appliance.core.audit.table import AuditEntry
from appliance.core.i18n import is_in_script
from appliance.core.refusals import Refused
from appliance.models import CatalogItem
from tests.rig.appeals import FULL_FORM

pytestmark = pytest.mark.usefixtures("settings")

TODAY = dt.date(2026, 11, 28)
YOUTH = {"name_uz_latn": "Talabalar", "name_uz_cyrl": "Талабалар", "name_ru": "Студенты"}


def item_columns(**other: Any) -> dict[str, Any]:
    return {**YOUTH, "active_from": None, "active_until": None} | other


def item_of(code: str, catalog: str = "group") -> CatalogItem:
    return CatalogItem.get(CatalogItem.catalog == catalog, CatalogItem.code == code)


def exported_csv(catalog: str = "group") -> str:
    text = io.StringIO()
    catalogs.export_csv(catalog, text)
    return text.getvalue()


def refusal_code(act: Any, *args: Any) -> str:
    with pytest.raises(Refused) as error:
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
def test_the_script_of_a_name_is_checked(text: str, script: str, right: bool) -> None:
    assert is_in_script(text, script) is right


def test_a_value_is_added_changed_retired_and_restored() -> None:
    item = upkeep.add_item("group", "", item_columns(name_uz_latn="O'qituvchilar"), "sherzod")
    assert (item.code, item.name_uz_latn) == ("oqituvchilar", "Oʻqituvchilar")
    assert catalogs.item_choices("group", "ru")[-1] == ("oqituvchilar", "Студенты")
    upkeep.change_item(item, item_columns(name_ru="Учащиеся"), "sherzod")
    assert catalogs.value_label("group", "oqituvchilar", "ru") == "Учащиеся"
    upkeep.retire_item(item_of("oqituvchilar"), "sherzod")
    assert "oqituvchilar" not in dict(catalogs.item_choices("group", "ru"))
    upkeep.restore_item(item_of("oqituvchilar"), "sherzod")
    assert "oqituvchilar" in dict(catalogs.item_choices("group", "ru"))
    actions = [row.action for row in AuditEntry.select().where(AuditEntry.who == "sherzod")]
    assert actions == [f"list.item.{act}" for act in ("add", "change", "retire", "restore")]


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
def test_an_invalid_value_is_refused(other: dict[str, Any], code: str) -> None:
    before = exported_csv()
    assert (
        refusal_code(upkeep.add_item, "group", "students", item_columns(**other), "sherzod") == code
    )
    assert exported_csv() == before


def test_a_code_is_unique_and_well_formed() -> None:
    assert refusal_code(upkeep.add_item, "group", "youth", item_columns(), "sherzod") == "known"
    assert refusal_code(upkeep.add_item, "group", "Ёш", item_columns(), "sherzod") == "code"


def test_a_value_may_succeed_another_of_the_same_name() -> None:
    youth = item_of("youth")
    names = {name: getattr(youth, name) for name in YOUTH}
    ends = item_columns(**names, active_until=TODAY)
    upkeep.change_item(youth, ends, "sherzod")
    after = TODAY + dt.timedelta(1)
    assert (
        refusal_code(upkeep.add_item, "group", "young", item_columns(**names), "sherzod") == "same"
    )
    upkeep.add_item("group", "young", item_columns(**names, active_from=after), "sherzod")
    assert [catalogs.code_by_name("group", "yoshlar", day) for day in (TODAY, after)] == [
        "youth",
        "young",
    ]


def test_a_retired_value_cannot_be_restored_next_to_its_successor() -> None:
    upkeep.retire_item(item_of("youth"), "sherzod")
    names = {name: getattr(item_of("youth"), name) for name in YOUTH}
    upkeep.add_item("group", "young", item_columns(**names), "sherzod")
    assert refusal_code(upkeep.restore_item, item_of("youth"), "sherzod") == "same"


def test_choices_depend_on_the_date() -> None:
    upkeep.add_item("group", "s", item_columns(active_from=TODAY, active_until=TODAY), "sherzod")
    for day, there in ((-1, False), (0, True), (1, False)):
        on = TODAY + dt.timedelta(day)
        assert ("s" in dict(catalogs.item_choices("group", "ru", on))) is there
        assert bool(catalogs.find_items("group", "студ", on)) is there
        assert (catalogs.code_by_name("group", "s", on) == "s") is there


def test_choices_default_to_todays_date(monkeypatch: pytest.MonkeyPatch) -> None:
    upkeep.add_item("group", "s", item_columns(active_until=TODAY), "sherzod")
    for day, there in ((TODAY, True), (TODAY + dt.timedelta(2), False)):
        now = dt.datetime.combine(day, dt.time(9), dt.UTC)
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        assert ("s" in dict(catalogs.item_choices("group", "ru"))) is there


def test_a_form_keeps_a_retired_code() -> None:
    upkeep.retire_item(item_of("youth"), "sherzod")
    reading = form.read_form(FULL_FORM | {"group": "youth", "group_text": "Yoshlar"}, TODAY)
    assert reading.columns["group"] == "youth"
    assert "group:unlisted" in map(str, reading.doubts)


def test_a_value_that_reports_use_keeps_its_meaning() -> None:
    other = item_of("subsidies", "direction")
    assert refusal_code(upkeep.change_item, other, item_columns(), "sherzod") == "fixed"
    spelt = {name: getattr(other, name).upper() for name in YOUTH}
    upkeep.change_item(other, item_columns(**spelt), "sherzod")
    assert item_of("subsidies", "direction").name_ru == "ПОЛУЧЕНИЕ СУБСИДИЙ"
    upkeep.retire_item(item_of("subsidies", "direction"), "sherzod")
    assert "subsidies" in catalogs.labels_by_code("direction", "ru")


def test_values_are_reordered() -> None:
    codes = [code for code, _ in catalogs.item_choices("group", "ru")]
    upkeep.move_item(item_of(codes[1]), False, "sherzod")
    upkeep.move_item(item_of(codes[1]), False, "sherzod")  # at the top already
    upkeep.move_item(item_of(codes[-1]), True, "sherzod")
    assert [code for code, _ in catalogs.item_choices("group", "ru")] == [
        *(codes[1], codes[0]),
        *codes[2:],
    ]


def test_a_site_can_add_its_own_list() -> None:
    new_list = upkeep.add_list("", YOUTH, "sherzod")
    assert (new_list.code, new_list.own) == ("talabalar", True)
    upkeep.add_item("talabalar", "", item_columns(name_uz_latn="Birinchi kurs"), "sherzod")
    assert catalogs.item_choices("talabalar", "ru") == [("birinchi_kurs", "Студенты")]
    assert catalogs.import_list_csv("talabalar", io.StringIO(exported_csv("talabalar"))) == 1
    upkeep.rename_list(new_list, YOUTH | {"name_ru": "Учащиеся"}, "sherzod")
    assert catalogs.find_catalog("talabalar").name_ru == "Учащиеся"
    assert uses.count_code_uses("talabalar") == {}
    for used_code in ("talabalar", "direction", "region", "calendar"):
        assert refusal_code(upkeep.add_list, used_code, YOUTH, "sherzod") == "known"
    product = catalogs.find_catalog("group")
    assert refusal_code(upkeep.rename_list, product, YOUTH, "sherzod") == "fixed"


def test_an_import_is_previewed_before_it_is_applied() -> None:
    lines = exported_csv().splitlines()
    youth = next(n for n, line in enumerate(lines) if line.startswith("youth,"))
    lines[youth] = lines[youth].replace("Молодёжь", "Молодые люди")
    lines[1] = lines[1].replace(",1,,", ",0,,")
    del lines[2]
    lines.append("students,99,Talabalar,Талабалар,Студенты,1,01.01.2027,")
    text, before = "\n".join(lines), exported_csv()
    plan = changes.plan_import("group", text)
    assert [(change.kind, change.code) for change in plan.changes] == [
        ("retired", lines[1].split(",")[0]),
        ("changed", "youth"),
        ("added", "students"),
    ]
    assert plan.changes[1].columns == {"name_ru": ("Молодёжь", "Молодые люди")}
    assert (plan.same, plan.not_in_file) == (len(lines) - 4, 1)
    assert exported_csv() == before
    changes.apply_import("group", text, plan.mark, "sherzod")
    assert item_of("students").active_from == dt.date(2027, 1, 1)
    assert not item_of(plan.changes[0].code).active
    assert changes.plan_import("group", text).changes == ()
    assert AuditEntry.get(AuditEntry.action == "list.import").detail == {
        "changes": {change.code: change.kind for change in plan.changes}
    }


def test_an_import_is_refused_if_the_list_changed_after_its_preview() -> None:
    text = exported_csv().replace("Молодёжь", "Молодые люди")
    mark = changes.plan_import("group", text).mark
    upkeep.retire_item(item_of("large_family"), "dilnoza")
    assert refusal_code(changes.apply_import, "group", text, mark, "sherzod") == "changed"
    assert item_of("youth").name_ru == "Молодёжь"


CSV_HEADER = "code,position,name_uz_latn,name_uz_cyrl,name_ru\n"


@pytest.mark.parametrize(
    ("rows", "code", "line"),
    [
        (CSV_HEADER + "a,1,Talaba,Talaba,Студент\n", "name_uz_cyrl", 2),
        (CSV_HEADER + "a,1,Талаба,Талаба,Студент\n", "name_uz_latn", 2),
        (CSV_HEADER + "a,1,Talaba,Талаба,Student\n", "name_ru", 2),
        (CSV_HEADER + "a,x,Talaba,Талаба,Студент\n", "cell", 2),
        (CSV_HEADER + "a,1,Talaba,,Студент\n", "empty", 2),
        (CSV_HEADER + "a,1,Talaba,Талаба,Студент\n" * 2, "twice", 3),
        ("code,position\n", "column", 1),
        (CSV_HEADER, "rows", 0),
    ],
)
def test_an_invalid_file_is_reported_with_its_line(rows: str, code: str, line: int) -> None:
    with pytest.raises(catalogs.SheetError) as error:
        changes.plan_import("group", rows)
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
def test_a_file_may_not_contain_what_the_page_refuses(row: str, code: str) -> None:
    assert refusal_code(changes.plan_import, "group", CSV_HEADER + row) == code


def test_an_import_keeps_the_meaning_of_values_that_reports_use() -> None:
    row = "complaint,2,Taklif boshqacha,Таклиф бошқача,Другое предложение\n"
    assert refusal_code(changes.plan_import, "appeal_type", CSV_HEADER + row) == "fixed"
