"""Lists: seeds, CSV import and export, search in either script."""

import datetime as dt
import io

import pytest
from click.testing import CliRunner, Result

from appliance.casework import catalogs
from appliance.cli import appliance
from appliance.core import search
from appliance.core.settings import Settings
from appliance.models import CatalogItem, District, Mahalla, Region

URGUT = "1718236"
MAHALLAS = """code,district_soato,name_uz_latn,name_uz_cyrl,extra
1,1718236,Koʻktepa MFY,Кўктепа МФЙ,x
2,1718236,Navroʻz MFY,Наврўз МФЙ,x
3,1703202,Eski koʻktepa MFY,Эски кўктепа МФЙ,x
"""


pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def mahallas() -> None:
    catalogs.import_list_csv("mahallas", io.StringIO(MAHALLAS))


def test_seeding_loads_the_official_lists_once():
    assert Region.select().count() == 14
    assert District.select().count() == 208
    assert catalogs.seed_lists() == 0
    first, *_, last = catalogs.match_regions("")
    assert (first.name_uz_cyrl, last.name_uz_cyrl) == ("Қашқадарё вилояти", "Наманган вилояти")


def test_seeding_keeps_the_sites_changes():
    CatalogItem.update(name_ru="Просьба").where(CatalogItem.code == "application").execute()
    assert catalogs.seed_lists() == 0
    assert catalogs.value_label("appeal_type", "application", "ru") == "Просьба"


def test_directions_are_those_of_the_report_form():
    names = [name for _, name in catalogs.item_choices("direction", "uz_Cyrl")]
    assert names[0] == "Ишга жойлашиш учун"
    assert names[7] == "Ҳомиладорлик билан боғлиқ меҳнат муносабатлари бузилиши"
    assert len(names) == 10


@pytest.mark.parametrize("catalog", catalogs.CATALOGS)
def test_every_value_has_a_name_in_each_language(catalog):
    for item in CatalogItem.select().where(CatalogItem.catalog == catalog):
        assert all((item.name_uz_latn, item.name_uz_cyrl, item.name_ru)), item.code
        assert "'" not in item.name_uz_latn


def test_a_value_is_found_by_code_or_name():
    assert catalogs.code_by_name("group", "youth") == "youth"
    assert catalogs.code_by_name("group", "ёшлар") == "youth"
    assert catalogs.code_by_name("group", "Молодежь") == catalogs.code_by_name("group", "") is None
    assert catalogs.value_label("group", "typed text", "ru") == "typed text"


def test_values_are_found_in_any_language():
    names = [item.code for item in catalogs.find_items("employment", "ишсиз")]
    assert names == ["registered_unemployed", "temporarily_unemployed"]
    assert "youth" in {item.code for item in catalogs.find_items("group", "moloj")}
    assert catalogs.find_items("group", "xyz") == []
    assert catalogs.find_items("group", "") == catalogs.list_items("group")


def test_an_inactive_value_is_not_offered_but_still_has_its_label():
    CatalogItem.update(active=False).where(CatalogItem.code == "youth").execute()
    assert "youth" not in dict(catalogs.item_choices("group", "ru"))
    assert catalogs.value_label("group", "youth", "ru") == "Молодёжь"


@pytest.mark.parametrize("text", ["k", "кўк", "KO'K", "kök"])
def test_mahallas_are_found_by_their_first_letters_in_either_script(mahallas, text):
    assert [m.code for m in catalogs.match_mahallas(text)] == ["1", "3"]


def test_mahallas_are_found_within_a_place(mahallas):
    assert [m.code for m in catalogs.match_mahallas("", district=URGUT)] == ["1", "2"]
    assert [m.code for m in catalogs.match_mahallas("kok", region="1703")] == ["3"]
    assert [m.code for m in catalogs.match_mahallas("kok", district="1703202")] == ["3"]
    assert len(catalogs.match_mahallas("", limit=2)) == 2


def test_districts_are_found_by_former_and_russian_names():
    assert "1703209" in [d.soato for d in catalogs.match_districts("bo'z")]
    assert catalogs.match_districts("Алтынк")[0].soato == "1703202"
    assert {d.region_id for d in catalogs.match_districts("", region="1718")} == {"1718"}


def test_places_are_found_by_their_exact_names():
    assert catalogs.exact_region("САМАРҚАНД ВИЛОЯТИ").soato == "1718"
    assert catalogs.exact_region("Samarqand") is None
    assert catalogs.exact_district("Urgut tumani", None).soato == URGUT
    assert catalogs.exact_district("Urgut tumani", "1703") is None


def test_a_mahalla_is_found_without_its_suffix(mahallas):
    assert catalogs.exact_mahalla("Кўктепа", URGUT).code == "1"


def test_a_typed_mahalla_is_added_once_and_then_offered(mahallas):
    typed = catalogs.get_or_create_mahalla(" Yangi   hayot ", URGUT)
    assert typed.name_uz_latn == "Yangi hayot"
    assert catalogs.get_or_create_mahalla("Янги ҳаёт", URGUT).id == typed.id
    assert catalogs.get_or_create_mahalla("Yangi hayot", None).id != typed.id
    assert catalogs.get_or_create_mahalla("Koʻktepa MFY", URGUT).code == "1"
    assert [m.id for m in catalogs.match_mahallas("yangi")] == [typed.id]


@pytest.mark.parametrize(
    ("typed", "expected", "near"),
    [
        ("kok", "Koʻktepa MFY", True),
        ("кўктепа", "Koʻktepa MFY", True),
        ("kokteqa", "Koʻktepa MFY", False),
        ("urgut koktepa", "Koʻktepa MFY", False),
        ("yangi hayot", None, None),
        ("hayot", None, None),
    ],
)
def test_a_match_is_near_only_if_it_is_what_was_typed(mahallas, typed, expected, near):
    """Typing the word of a region does not select a similarly named mahalla of another place."""
    first = next(iter(catalogs.match_mahallas(typed, URGUT)), None)
    assert (first and first.name_uz_latn) == expected
    assert (first and catalogs.is_close_match(first, search.parse_query(typed))) == near


def test_an_import_adopts_typed_values(mahallas):
    typed = catalogs.get_or_create_mahalla("Yangi hayot", URGUT)
    more = MAHALLAS + "4,1718236,Yangi hayot MFY,Янги ҳаёт МФЙ,\n"
    catalogs.import_list_csv("mahallas", io.StringIO(more))
    adopted = Mahalla.get_by_id(typed.id)
    assert (adopted.code, adopted.typed, adopted.name_uz_latn) == ("4", False, "Yangi hayot MFY")


def test_importing_the_same_file_twice_changes_nothing(mahallas):
    before = list(Mahalla.select().order_by(Mahalla.id).dicts())
    assert catalogs.import_list_csv("mahallas", io.StringIO(MAHALLAS)) == 3
    assert list(Mahalla.select().order_by(Mahalla.id).dicts()) == before


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (MAHALLAS + "5,9999999,A,А,\n", "line 5: no such place: 9999999"),
        (MAHALLAS + "5,1718236,,А,\n", "line 5: name_uz_latn is empty"),
        (MAHALLAS + "1,1718236,A,А,\n", "line 5: 1 stands twice"),
        ("code,name\n1,A\n", "line 1: no column district_soato"),
        ("", "line 1: no column"),
        ("code,district_soato,name_uz_latn,name_uz_cyrl\n", "no rows"),
    ],
)
def test_an_invalid_file_is_refused_entirely(file, message):
    with pytest.raises(catalogs.SheetError, match=message):
        catalogs.import_list_csv("mahallas", io.StringIO(file))
    assert Mahalla.select().count() == 0


def test_files_of_office_programs_are_read():
    text = "\ufeff" + MAHALLAS.replace(",", ";")
    assert catalogs.import_list_csv("mahallas", io.StringIO(text)) == 3


@pytest.mark.parametrize("name", catalogs.SHEETS)
def test_an_exported_list_imports_unchanged(mahallas, name):
    first, second = io.StringIO(), io.StringIO()
    catalogs.export_csv(name, first)
    catalogs.import_list_csv(name, io.StringIO(first.getvalue()))
    catalogs.export_csv(name, second)
    assert second.getvalue() == first.getvalue()
    assert len(first.getvalue().splitlines()) > 3


def test_the_working_calendar_includes_holidays_and_swapped_days(settings):
    calendar = catalogs.working_calendar(settings)
    assert not calendar.is_working_day(dt.date(2026, 12, 8))  # Constitution day, a Tuesday
    assert calendar.is_working_day(dt.date(2025, 1, 4))  # a working Saturday
    nine = dt.datetime(2026, 11, 24, 9, 0, tzinfo=calendar.tz)
    assert calendar.is_working_time(nine)
    assert not calendar.is_working_time(nine - dt.timedelta(seconds=1))


# the command


def run_catalog_command(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(appliance, ["--config", str(settings.file), "catalog", *words])


def test_the_command_imports_and_exports(settings, tmp_path):
    file = tmp_path / "mahallas.csv"
    file.write_text(MAHALLAS, "utf-8")
    assert run_catalog_command(settings, "import", "mahallas", str(file)).output == "3\n"
    result = run_catalog_command(settings, "export", "mahallas")
    assert result.output.splitlines()[1] == "1,1718236,Koʻktepa MFY,Кўктепа МФЙ,"


def test_the_command_reports_the_wrong_line(settings, tmp_path):
    file = tmp_path / "mahallas.csv"
    file.write_text(MAHALLAS + "5,9,A,А,\n", "utf-8")
    result = run_catalog_command(settings, "import", "mahallas", str(file))
    assert result.exit_code == 1
    assert "line 5: no such place: 9" in result.output
    assert run_catalog_command(settings, "import", "towns", str(file)).exit_code == 2


@pytest.mark.parametrize("typed", ["and t", "анд т", "андижан р", "Andijon tum"])
def test_the_words_of_a_place_may_each_be_abbreviated(typed: str):
    assert catalogs.match_districts(typed, "1703")[0].name_uz_latn == "Andijon tumani"
    assert catalogs.match_districts("t and", "1703")[0].name_uz_latn == "Andijon tumani"


@pytest.mark.parametrize("language", ["uz_latn", "uz_cyrl", "ru"])
def test_a_district_is_selected_with_three_keystrokes_and_tab(language: str, record_property):
    """With the region entered: three letters of the district, or one of each of two words."""
    by_letters = by_keys = among_three = 0
    places = list(District.select())
    for place in places:
        name = getattr(place, f"name_{language}").removeprefix("город ")
        words = name.split()
        letters = name[: 4 if set("ʻʼ") & set(name[:3]) else 3]  # oʻ is one key
        matches = catalogs.match_districts(letters, place.region_id)
        pairs = [f"{words[0][0]} {word[0]}" for word in words[1:]]
        firsts = [catalogs.match_districts(typed, place.region_id)[:1] for typed in pairs]
        by_letters += matches[0] == place
        by_keys += matches[0] == place or [place] in firsts
        among_three += place in matches[:3]
    shares = [round(100 * count / len(places), 1) for count in (by_letters, by_keys, among_three)]
    label = "districts first by three letters, by three keys, among three, %"
    record_property(f"{label} ({language})", shares)
    assert shares[0] >= 87
    assert shares[1] >= 95
    assert shares[2] == 100
