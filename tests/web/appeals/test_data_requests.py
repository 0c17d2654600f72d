"""The page of citizens' requests about their own data: written down, answered, on paper."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from appliance.casework import appeals, catalogs
from appliance.core import clock
from appliance.models import Appeal, AuditEntry, DataRequest
from appliance.people import rights
from tests.casework.test_appeals import FULL
from tests.rig.citizen import PHONE, Citizen

NAME = "Kanareykina"


@pytest.fixture
def appeal(settings, nilufar) -> Appeal:
    citizen = Citizen("hotline-1.1")
    citizen.ring(nilufar)
    citizen.talk()
    desk = appeals.at_hand(nilufar, clock.now())
    assert desk
    made = appeals.register(
        FULL | {"phone": PHONE, "surname": NAME},
        operator=nilufar,
        token=desk.token,
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
    citizen.hang_up()
    return made


def ask(browser, kind: str = "tell", **more: str) -> str:
    sent = {"kind": kind, "person": NAME, "phone": PHONE, "proof": "Pasport", "language": "ru"}
    answer = browser.send("/data-requests", **sent | more)
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_what_is_missing_loses_nothing_typed(login_as) -> None:
    browser = login_as("manager")
    sent = {"kind": "tell", "person": NAME, "proof": "Pasport", "what": "Hammasi"}
    page = browser.refused(browser.send("/data-requests", **sent))
    assert "Telefonini yoki shu yerda roʻyxatga olingan murojaati raqamini yozing." in page
    for typed in (NAME, "Pasport", "Hammasi"):
        assert typed in page


def test_what_is_stored_is_told_on_paper(appeal, login_as) -> None:
    browser = login_as("manager")
    there = ask(browser)
    assert browser.get(f"{there}/ru.pdf").status_code == 404  # not answered so far
    assert f"appeal:{appeal.number}" in browser.get(there).text
    page = browser.refused(browser.send(f"{there}/answer", do="done"))
    assert "Unga tegishlilarini belgilang." in page
    browser.send(f"{there}/answer", do="done", record=f"appeal:{appeal.number}")
    text = {}
    for language in ("uz", "ru"):
        paper = browser.get(f"{there}/{language}.pdf")
        assert paper.mimetype == "application/pdf"
        pages = PdfReader(BytesIO(paper.data)).pages
        text[language] = " ".join(" ".join(page.extract_text() for page in pages).split())
        assert NAME in text[language]
        assert appeal.number in text[language]
    assert "Ответ на запрос гражданина о его данных" in text["ru"]
    assert "OʻRQ-547" in text["uz"]
    rows = AuditEntry.select().where(AuditEntry.action.startswith("data_request."))
    assert [row.action for row in rows if row.action != "data_request.view"] == [
        *("data_request.tell", "data_request.done"),
        *("data_request.download", "data_request.download"),
    ]


def test_masking_from_the_page(appeal, login_as) -> None:
    browser = login_as("manager")
    there = ask(browser, "mask")
    ticked = {"do": "done", "record": f"appeal:{appeal.number}", "answer": "Xayr"}
    page = browser.refused(browser.send(f"{there}/answer", **ticked))
    assert "yopilmagan murojaat bor" in page
    assert f'href="/appeals/{appeal.number}"' in page
    assert "Xayr" in page
    assert "checked" in page.split(f"appeal:{appeal.number}")[1].split(">")[0]
    browser.send(f"{there}/answer", do="refused", answer="Murojaat hali koʻrib chiqilmoqda")
    assert DataRequest.get().state == "refused"
    text = PdfReader(BytesIO(browser.get(f"{there}/uz.pdf").data)).pages[0].extract_text()
    assert "Murojaat hali koʻrib chiqilmoqda" in " ".join(text.split())
    listed = browser.get("/data-requests").text
    assert "Rad etildi" in listed


@pytest.mark.parametrize("role", sorted(rights.roles("data_request.answer")))
def test_that_who_asked_was_shown_is_written_down(role, appeal, login_as) -> None:
    browser = login_as(role)
    there = ask(browser)
    number = there.rsplit("/", 1)[1]
    browser.get("/data-requests")
    listed = AuditEntry.get(AuditEntry.action == "data_request.view")  # of one
    assert (listed.subject, listed.detail["page"]) == (number, "data_requests.page")
    browser.get(there)
    opened = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert (opened.action, opened.subject) == ("data_request.view", number)
    assert opened.detail["appeal"] == [appeal.number]
    browser.send(f"{there}/answer", do="refused", answer="Topilmadi")
    before = AuditEntry.select().count()
    browser.get(there)  # answered: nothing stored is shown, but who asked is
    assert AuditEntry.select().count() == before + 1
    ask(browser, person="Boshqa")
    browser.get("/data-requests")
    many = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert many.action == "data_request.list"
    assert [int(number), int(number) + 1] == sorted(many.detail["data_request"])
