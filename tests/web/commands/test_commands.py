"""The command line: what each role finds, in every script, and how long that takes."""

import html
import json
import re
import statistics
import time

import pytest

from appliance.casework import appeals
from appliance.core.db import writing
from appliance.models import AuditEntry, Employee, User
from appliance.telephony import directory
from appliance.telephony.directory import Entry
from tests.rig import scripts, search_corpus
from tests.rig.browser import Browser
from tests.rig.citizen import PHONE, Citizen

MEDIAN = 0.25  # seconds of the processor, which a busy machine does not lengthen


def ask(browser: Browser, q: str = "", at: str = "") -> list[tuple[str, str, dict[str, str]]]:
    """(kind, name, data) of each line that is found."""
    answer = browser.get("/commands", query_string={"q": q, "at": at})
    assert answer.status_code == 200
    lines = re.findall(
        r'<div role="option" id="found-(\w+)-\d+"(.*?)>.*?<span>(.*?)</span>', answer.text, re.S
    )
    return [
        (kind, html.unescape(name), dict(re.findall(r'data-([\w-]+)="(.*?)"', data)))
        for kind, data, name in lines
    ]


def named(browser: Browser, kind: str, q: str, at: str = "") -> list[str]:
    return [name for of, name, _data in ask(browser, q, at) if of == kind]


@pytest.mark.parametrize("typed", ["oylik", "ойлик", "ежемес", "месяч"])
def test_a_page_is_found_in_each_language(login_as, typed: str) -> None:
    found = named(login_as("dilnoza"), "pages", typed)
    assert ("Oylik" in found) == (typed != "ежемес"), found


def test_each_role_finds_its_own_pages(login_as) -> None:
    everything = {who: {n for _k, n, _d in ask(login_as(who), "")} for who in ("nilufar", "rustam")}
    assert "Ish joyi" in everything["nilufar"]
    assert "Zaxira nusxalar" in everything["rustam"]
    assert "Zaxira nusxalar" not in named(login_as("nilufar"), "pages", "zaxira")


def test_actions_are_those_of_the_page(login_as) -> None:
    nilufar = login_as("nilufar")
    found = ask(nilufar, "roʻyxatga olish", "operator.page")
    assert ("actions", "Roʻyxatga olish", {"act": "register"}) in found
    assert ("actions", "Roʻyxatga olish", {"act": "register"}) in ask(
        nilufar, "зарегистр", "operator.page"
    )
    assert not named(nilufar, "actions", "roʻyxatga olish", "lookup.page")
    assert not named(nilufar, "actions", "xyz", "operator.page")


def test_an_employee_is_passed_on_to_or_opened(login_as) -> None:
    directory.save(Entry("Lola Rashidova", "712390101", "Bandlik boʻlimi"), "rustam")
    assert ask(login_as("nilufar"), "лола")[0][2] == {"pass-on": "712390101"}
    there = ask(login_as("rustam"), "rashid")[0][2]["address"]
    assert login_as("rustam").get(there).status_code == 200
    assert not ask(login_as("bahodir"), "rashidova")[0][2].get("pass-on")


def test_an_appeal_is_found_by_its_number_by_whoever_may_see_it(
    login_as, settings, nilufar: User
) -> None:
    token = appeals.token_for(nilufar, None)
    made = appeals.register({"gist": "Subsidiya"}, operator=nilufar, token=token, tz=settings.tz)
    for who, sees in {"nilufar": True, "sardor": False, "bahodir": True, "rustam": False}.items():
        browser, before = login_as(who), AuditEntry.select().count()
        found = named(browser, "numbers", made.number)
        assert found == ([made.number] if sees else []), who
        written = list(AuditEntry.select().offset(before))
        views = [entry for entry in written if entry.action == "appeal.view"]
        assert [(v.who, v.subject) for v in views] == ([(who, made.number)] if sees else [])
        assert all(view.detail["asked"] == {"q": made.number} for view in views)
    # who does not see it is led to the search of whole numbers, which writes down who looks
    sardor = ask(login_as("sardor"), made.number)
    searches = [data["address"] for kind, _name, data in sardor if kind == "searches"]
    assert searches == [f"/appeals/mine?q={made.number}", f"/call-forms?q={made.number}"]
    part = [
        d["address"] for k, _n, d in ask(login_as("sardor"), made.number[:-3]) if k == "searches"
    ]
    assert part == [f"/call-forms?q={made.number[:-3]}"]


def test_an_appeal_is_found_by_the_end_of_its_number(login_as, settings, nilufar: User) -> None:
    token = appeals.token_for(nilufar, None)
    made = appeals.register({"gist": "Subsidiya"}, operator=nilufar, token=token, tz=settings.tz)
    end = made.number.partition("-")[2]
    for typed in (end, end[2:], made.number.replace("-", "/"), made.number.replace("-0", "-O")):
        assert named(login_as("nilufar"), "numbers", typed) == [made.number], typed
        assert named(login_as("sardor"), "numbers", typed) == [], typed
    told = login_as("sardor").get("/commands", query_string={"q": end}).text
    assert made.number in told  # how it is written, not that there is one
    assert told.replace(made.number, "") == (
        login_as("sardor").get("/commands", query_string={"q": "000777"}).text
    ).replace(f"{made.number[:5]}000777", "").replace("000777", end)
    assert "is-missed" not in login_as("nilufar").get("/commands", query_string={"q": end}).text


def test_calls_of_a_phone(login_as, nilufar: User) -> None:
    citizen = Citizen("hotline-1.1")
    citizen.ring(nilufar)
    citizen.talk()
    citizen.hang_up()
    dilnoza = login_as("dilnoza")
    found = [data for kind, _n, data in ask(dilnoza, "93 555 01 47") if kind == "calls"]
    assert [data["address"] for data in found] == ["/calls/hotline-1.1"]
    assert AuditEntry.select().order_by(AuditEntry.id.desc()).first().action == "call.view"
    assert not named(dilnoza, "calls", "93 555")
    assert not named(login_as("nilufar"), "calls", PHONE)
    assert not named(login_as("bahodir"), "calls", PHONE)


@pytest.mark.parametrize("typed", ["urgut", "ургут", "Ургутский"])
def test_a_place_narrows_the_list_or_goes_into_the_form(login_as, typed: str) -> None:
    addresses = [d.get("address") for k, _n, d in ask(login_as("dilnoza"), typed) if k == "values"]
    assert "/appeals?district=1718236&region=1718" in map(html.unescape, filter(None, addresses))
    found = [data for kind, _n, data in ask(login_as("nilufar"), typed) if kind == "values"]
    choice = json.loads(html.unescape(html.unescape(found[0]["choice"])))
    assert (found[0]["field-name"], choice["code"]) == ("district", "1718236")
    assert choice["fills"]["region"]["code"] == "1718"


def test_an_article_in_force_is_found_by_its_readers(login_as) -> None:
    with writing():
        search_corpus.publish("nafaqa", "Ishsizlik nafaqasi", "Ariza 15 kunda koʻriladi")
    for who in ("nilufar", "dilnoza", "bahodir", "rustam"):
        for typed in ("nafaka", "ишсизлик", "arizani"):
            [found] = [one for one in ask(login_as(who), typed) if one[0] == "articles"]
            assert found[1] == "Ishsizlik nafaqasi", (who, typed)
    data = found[2]
    assert data["read"] == "Ishsizlik nafaqasi"
    assert login_as("nilufar").get(data["address"]).status_code == 200
    assert not named(login_as("backup"), "articles", "nafaqa")


def test_what_is_misspelt_is_not_beside_what_is_not(login_as) -> None:
    with writing():
        search_corpus.publish("organ", "Boshqa organga tegishli murojaat", "Ariza")
        search_corpus.publish("nafaqa", "Ishsizlik nafaqasi", "Ariza 15 kunda koʻriladi")
    dilnoza = login_as("dilnoza")
    assert "Urgut tumani" in named(dilnoza, "values", "urgut")
    assert named(dilnoza, "articles", "urgut") == []
    assert named(dilnoza, "articles", "orgn") == ["Boshqa organga tegishli murojaat"]
    assert named(dilnoza, "articles", "nafaqani qayerdan olaman") == ["Ishsizlik nafaqasi"]


def test_an_action_is_not_taken_for_what_was_meant(login_as) -> None:
    """Enter does the first line: "oylik" must not register the form, as "olish" misspelt."""
    nilufar = login_as("nilufar")
    with writing():
        search_corpus.publish("ish-haqi", "Ish haqi", "Oylik toʻlanmasa")
    assert not named(nilufar, "actions", "oylik", "operator.page")
    assert not named(nilufar, "pages", "navoiy", "operator.page")
    assert named(nilufar, "actions", "ruyxatga olish", "operator.page")


def test_a_script_in_force_is_found_by_its_readers(login_as, sherzod, bahodir) -> None:
    row = scripts.in_force(sherzod, bahodir)
    for who, finds in {"sherzod": True, "dilnoza": True, "nilufar": False, "rustam": False}.items():
        found = [data for kind, _n, data in ask(login_as(who), "salomlash") if kind == "scripts"]
        assert [one["address"] for one in found] == [f"/scripts/{row.script.code}"] * finds, who
    assert login_as("dilnoza").get(f"/scripts/{row.script.code}").status_code == 200


def test_accounts_for_who_may_see_them(login_as) -> None:
    assert named(login_as("rustam"), "people", "nilu") == ["Nilufar Karimova"]
    assert not named(login_as("bahodir"), "people", "nilu")


def test_nothing_found_is_said(login_as) -> None:
    answer = login_as("backup").get("/commands?q=qwxz").text
    assert "data-nothing>" in answer
    assert not ask(login_as("backup"), "qwxz")


def test_it_answers_while_one_types(login_as, record_property) -> None:
    with writing():
        for n in range(300):
            name = f"Xodim{n} Xodimov{n}"
            Employee.create(name=name, number=f"7123{n:05}", search_key=name.lower())
    browsers = {who: login_as(who) for who in ("nilufar", "dilnoza")}
    for who, browser in browsers.items():
        took = []
        for typed in ("", "s", "sam", "xodim1", "ургут", "qoʻngʻiroq", "2026-000001", PHONE) * 2:
            begun = time.process_time()
            ask(browser, typed, "operator.page")
            took.append(time.process_time() - begun)
        median = statistics.median(took)
        record_property(f"command line of {who}, ms of the processor", f"{1000 * median:.0f}")
        assert median < MEDIAN
