"""The page of citizens' requests about their own data: recorded, answered, printed."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from appliance.casework.appeals.desk import current_desk
from appliance.core import clock
from appliance.models import Appeal, AuditEntry, DataRequest
from appliance.people import rights
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.citizen import CITIZEN_NUMBER, Citizen

NAME = "Kanareykina"


@pytest.fixture
def appeal(settings, nilufar) -> Appeal:
    citizen = Citizen("hotline-1.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    desk = current_desk(nilufar, clock.now())
    assert desk
    registered = create_appeal(
        settings, nilufar, FULL_FORM | {"phone": CITIZEN_NUMBER, "surname": NAME}, token=desk.token
    )
    citizen.hang_up()
    return registered


def create_request(browser, kind: str = "tell", **more: str) -> str:
    values = {
        "kind": kind,
        "person": NAME,
        "phone": CITIZEN_NUMBER,
        "proof": "Pasport",
        "language": "ru",
    }
    answer = browser.send("/data-requests", **values | more)
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_a_missing_value_keeps_what_was_typed(login_as) -> None:
    browser = login_as("manager")
    sent = {"kind": "tell", "person": NAME, "proof": "Pasport", "what": "Hammasi"}
    page = browser.refused_page(browser.send("/data-requests", **sent))
    assert "Telefonini yoki shu yerda roʻyxatga olingan murojaati raqamini yozing." in page
    for typed in (NAME, "Pasport", "Hammasi"):
        assert typed in page


def test_stored_data_is_listed_on_paper(appeal, login_as) -> None:
    browser = login_as("manager")
    address = create_request(browser)
    assert browser.get(f"{address}/ru.pdf").status_code == 404  # not answered yet
    assert f"appeal:{appeal.number}" in browser.get(address).text
    page = browser.refused_page(browser.send(f"{address}/answer", do="done"))
    assert "Unga tegishlilarini belgilang." in page
    browser.send(f"{address}/answer", do="done", record=f"appeal:{appeal.number}")
    text = {}
    for language in ("uz", "ru"):
        paper = browser.get(f"{address}/{language}.pdf")
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


def test_a_citizen_is_masked_from_the_page(appeal, login_as) -> None:
    browser = login_as("manager")
    address = create_request(browser, "mask")
    ticked = {"do": "done", "record": f"appeal:{appeal.number}", "answer": "Xayr"}
    page = browser.refused_page(browser.send(f"{address}/answer", **ticked))
    assert "yopilmagan murojaat bor" in page
    assert f'href="/appeals/{appeal.number}"' in page
    assert "Xayr" in page
    assert "checked" in page.split(f"appeal:{appeal.number}")[1].split(">")[0]
    browser.send(f"{address}/answer", do="refused", answer="Murojaat hali koʻrib chiqilmoqda")
    assert DataRequest.get().state == "refused"
    text = PdfReader(BytesIO(browser.get(f"{address}/uz.pdf").data)).pages[0].extract_text()
    assert "Murojaat hali koʻrib chiqilmoqda" in " ".join(text.split())
    listed = browser.get("/data-requests").text
    assert "Rad etildi" in listed


@pytest.mark.parametrize("role", sorted(rights.allowed_roles("data_request.answer")))
def test_showing_who_made_a_request_is_audited(role, appeal, login_as) -> None:
    browser = login_as(role)
    address = create_request(browser)
    number = address.rsplit("/", 1)[1]
    browser.get("/data-requests")
    listed = AuditEntry.get(AuditEntry.action == "data_request.view")  # of a single request
    assert (listed.subject, listed.detail["page"]) == (number, "data_requests.list_requests")
    browser.get(address)
    opened = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert (opened.action, opened.subject) == ("data_request.view", number)
    assert opened.detail["appeal"] == [appeal.number]
    browser.send(f"{address}/answer", do="refused", answer="Topilmadi")
    before = AuditEntry.select().count()
    # answered: no stored data is shown, but the person who made the request is
    browser.get(address)
    assert AuditEntry.select().count() == before + 1
    create_request(browser, person="Boshqa")
    browser.get("/data-requests")
    many = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert many.action == "data_request.list"
    assert [int(number), int(number) + 1] == sorted(many.detail["data_request"])
