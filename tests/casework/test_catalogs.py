"""Lists: seeds, CSV files in and out, search in either script."""

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
    catalogs.import_csv("mahallas", io.StringIO(MAHALLAS))


def test_seed_brings_the_real_lists_once():
    assert Region.select().count() == 14
    assert District.select().count() == 208
    assert catalogs.seed() == 0
    first, *_, last = catalogs.find_regions("")
    assert (first.name_uz_cyrl, last.name_uz_cyrl) == ("Қашқадарё вилояти", "Наманган вилояти")


def test_seed_leaves_a_sites_own_changes():
    CatalogItem.update(name_ru="Просьба").where(CatalogItem.code == "application").execute()
    assert catalogs.seed() == 0
    assert catalogs.label("appeal_type", "application", "ru") == "Просьба"


def test_directions_are_those_of_the_report_form():
    names = [name for _, name in catalogs.choices("direction", "uz_Cyrl")]
    assert names[0] == "Ишга жойлашиш учун"
    assert names[7] == "Ҳомиладорлик билан боғлиқ меҳнат муносабатлари бузилиши"
    assert len(names) == 10


@pytest.mark.parametrize("catalog", catalogs.CATALOGS)
def test_every_value_has_a_name_in_each_language(catalog):
    for item in CatalogItem.select().where(CatalogItem.catalog == catalog):
        assert all((item.name_uz_latn, item.name_uz_cyrl, item.name_ru)), item.code
        assert "'" not in item.name_uz_latn


def test_a_value_is_known_by_code_or_name():
    assert catalogs.code_of("group", "youth") == "youth"
    assert catalogs.code_of("group", "ёшлар") == "youth"
    assert catalogs.code_of("group", "Молодежь") == catalogs.code_of("group", "") is None
    assert catalogs.label("group", "typed text", "ru") == "typed text"


def test_values_are_found_in_any_language():
    names = [item.code for item in catalogs.find("employment", "ишсиз")]
    assert names == ["registered_unemployed", "temporarily_unemployed"]
    assert "youth" in {item.code for item in catalogs.find("group", "moloj")}
    assert catalogs.find("group", "xyz") == []
    assert catalogs.find("group", "") == catalogs.items("group")


def test_a_value_out_of_use_is_not_offered_but_still_reads():
    CatalogItem.update(active=False).where(CatalogItem.code == "youth").execute()
    assert "youth" not in dict(catalogs.choices("group", "ru"))
    assert catalogs.label("group", "youth", "ru") == "Молодёжь"


@pytest.mark.parametrize("text", ["k", "кўк", "KO'K", "kök"])
def test_mahallas_by_their_first_letters_in_either_script(mahallas, text):
    assert [m.code for m in catalogs.find_mahallas(text)] == ["1", "3"]


def test_mahallas_within_a_place(mahallas):
    assert [m.code for m in catalogs.find_mahallas("", district=URGUT)] == ["1", "2"]
    assert [m.code for m in catalogs.find_mahallas("kok", region="1703")] == ["3"]
    assert [m.code for m in catalogs.find_mahallas("kok", district="1703202")] == ["3"]
    assert len(catalogs.find_mahallas("", limit=2)) == 2


def test_districts_by_former_and_russian_names():
    assert "1703209" in [d.soato for d in catalogs.find_districts("bo'z")]
    assert catalogs.find_districts("Алтынк")[0].soato == "1703202"
    assert {d.region_id for d in catalogs.find_districts("", region="1718")} == {"1718"}


def test_exact_names():
    assert catalogs.exact_region("САМАРҚАНД ВИЛОЯТИ").soato == "1718"
    assert catalogs.exact_region("Samarqand") is None
    assert catalogs.exact_district("Urgut tumani", None).soato == URGUT
    assert catalogs.exact_district("Urgut tumani", "1703") is None


def test_a_mahalla_is_known_without_its_suffix(mahallas):
    assert catalogs.exact_mahalla("Кўктепа", URGUT).code == "1"


def test_a_typed_mahalla_is_remembered_once_and_offered(mahallas):
    typed = catalogs.remember_mahalla(" Yangi   hayot ", URGUT)
    assert typed.name_uz_latn == "Yangi hayot"
    assert catalogs.remember_mahalla("Янги ҳаёт", URGUT).id == typed.id
    assert catalogs.remember_mahalla("Yangi hayot", None).id != typed.id
    assert catalogs.remember_mahalla("Koʻktepa MFY", URGUT).code == "1"
    assert [m.id for m in catalogs.find_mahallas("yangi")] == [typed.id]


@pytest.mark.parametrize(
    ("typed", "found", "near"),
    [
        ("kok", "Koʻktepa MFY", True),
        ("кўктепа", "Koʻktepa MFY", True),
        ("kokteqa", "Koʻktepa MFY", False),
        ("urgut koktepa", "Koʻktepa MFY", False),
        ("yangi hayot", None, None),
        ("hayot", None, None),
    ],
)
def test_what_a_key_takes_unseen_is_what_was_typed(mahallas, typed, found, near):
    """A region's word that sounds alike makes nothing of another mahalla."""
    first = next(iter(catalogs.find_mahallas(typed, URGUT)), None)
    assert (first and first.name_uz_latn) == found
    assert (first and catalogs.is_near(first, search.query(typed))) == near


def test_an_import_adopts_what_was_typed(mahallas):
    typed = catalogs.remember_mahalla("Yangi hayot", URGUT)
    more = MAHALLAS + "4,1718236,Yangi hayot MFY,Янги ҳаёт МФЙ,\n"
    catalogs.import_csv("mahallas", io.StringIO(more))
    adopted = Mahalla.get_by_id(typed.id)
    assert (adopted.code, adopted.typed, adopted.name_uz_latn) == ("4", False, "Yangi hayot MFY")


def test_an_import_twice_changes_nothing(mahallas):
    before = list(Mahalla.select().order_by(Mahalla.id).dicts())
    assert catalogs.import_csv("mahallas", io.StringIO(MAHALLAS)) == 3
    assert list(Mahalla.select().order_by(Mahalla.id).dicts()) == before


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (MAHALLAS + "5,9999999,A,А,\n", "line 5: no such place: 9999999"),
        (MAHALLAS + "5,1718236,,А,\n", "line 5: name_uz_latn is empty"),
        (MAHALLAS + "1,1718236,A,А,\n", "line 5: 1 stands twice"),
        ("code,name\n1,A\n", "line 1: no column district_soato"),
        ("", "line 1: no column"),
        ("code,district_soato,name_uz_latn,name_uz_cyrl\n", "no rows"),
    ],
)
def test_a_wrong_file_is_refused_whole(file, said):
    with pytest.raises(catalogs.SheetError, match=said):
        catalogs.import_csv("mahallas", io.StringIO(file))
    assert Mahalla.select().count() == 0


def test_files_of_office_programs_are_read():
    text = "\ufeff" + MAHALLAS.replace(",", ";")
    assert catalogs.import_csv("mahallas", io.StringIO(text)) == 3


@pytest.mark.parametrize("name", catalogs.SHEETS)
def test_what_is_exported_imports_to_the_same(mahallas, name):
    first, again = io.StringIO(), io.StringIO()
    catalogs.export_csv(name, first)
    catalogs.import_csv(name, io.StringIO(first.getvalue()))
    catalogs.export_csv(name, again)
    assert again.getvalue() == first.getvalue()
    assert len(first.getvalue().splitlines()) > 3


def test_the_working_calendar_knows_holidays_and_swapped_days(settings):
    calendar = catalogs.working_calendar(settings)
    assert not calendar.works_on(dt.date(2026, 12, 8))  # Constitution day, a Tuesday
    assert calendar.works_on(dt.date(2025, 1, 4))  # a working Saturday
    nine = dt.datetime(2026, 11, 24, 9, 0, tzinfo=calendar.tz)
    assert calendar.inside(nine)
    assert not calendar.inside(nine - dt.timedelta(seconds=1))


# the command


def command(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(appliance, ["--config", str(settings.file), "catalog", *words])


def test_the_command_imports_and_exports(settings, tmp_path):
    file = tmp_path / "mahallas.csv"
    file.write_text(MAHALLAS, "utf-8")
    assert command(settings, "import", "mahallas", str(file)).output == "3\n"
    told = command(settings, "export", "mahallas")
    assert told.output.splitlines()[1] == "1,1718236,Koʻktepa MFY,Кўктепа МФЙ,"


def test_the_command_names_the_wrong_line(settings, tmp_path):
    file = tmp_path / "mahallas.csv"
    file.write_text(MAHALLAS + "5,9,A,А,\n", "utf-8")
    told = command(settings, "import", "mahallas", str(file))
    assert told.exit_code == 1
    assert "line 5: no such place: 9" in told.output
    assert command(settings, "import", "towns", str(file)).exit_code == 2


@pytest.mark.parametrize("typed", ["and t", "анд т", "андижан р", "Andijon tum"])
def test_the_words_of_a_place_may_each_be_begun(typed: str):
    assert catalogs.find_districts(typed, "1703")[0].name_uz_latn == "Andijon tumani"
    assert catalogs.find_districts("t and", "1703")[0].name_uz_latn == "Andijon tumani"


@pytest.mark.parametrize("language", ["uz_latn", "uz_cyrl", "ru"])
def test_a_district_takes_three_keystrokes_and_tab(language: str, record_property):
    """Once its region is known: three letters of it, or a letter of each of two words."""
    by_letters = by_keys = among = 0
    places = list(District.select())
    for place in places:
        name = getattr(place, f"name_{language}").removeprefix("город ")
        words = name.split()
        letters = name[: 4 if set("ʻʼ") & set(name[:3]) else 3]  # oʻ is one key
        found = catalogs.find_districts(letters, place.region_id)
        pairs = [f"{words[0][0]} {word[0]}" for word in words[1:]]
        firsts = [catalogs.find_districts(typed, place.region_id)[:1] for typed in pairs]
        by_letters += found[0] == place
        by_keys += found[0] == place or [place] in firsts
        among += place in found[:3]
    shares = [round(100 * count / len(places), 1) for count in (by_letters, by_keys, among)]
    told = "districts first by three letters, by three keys, among three, %"
    record_property(f"{told} ({language})", shares)
    assert shares[0] >= 87
    assert shares[1] >= 95
    assert shares[2] == 100
