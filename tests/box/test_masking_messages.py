"""What names a masked citizen goes, however it spells him; what is a namesake's stays."""

import pytest

from appliance.box.retention import identity, traces
from appliance.casework import appeals
from appliance.core import clock, outbox
from appliance.models import Appeal, Draft, Message
from tests.box import retained


@pytest.fixture
def appeal(settings, nilufar, bahodir) -> Appeal:
    return retained.register(settings, nilufar)


def after_masking(appeal: Appeal, surname: str, text: str, column: str) -> str:
    """What is left of a message that has ended, in its text or its payload."""
    Appeal.update(surname=surname, first_name="Тўлқин" if surname > "z" else "Toʻlqin").execute()
    content = {"text": text} if column == "text" else {"payload": {"line": text}}
    message = outbox.put("telegram", "alarm", "-7", key="x", **content)
    Message.update(ended_at=clock.now(), state="sent").execute()
    who = identity.of([Appeal.get_by_id(appeal.id)], [], [], "")
    for change in traces.find(who):
        change()
    left = Message.get_by_id(message.id)
    return left.text if column == "text" else left.payload.get("line", "")


@pytest.mark.parametrize("column", ["text", "payload"])
@pytest.mark.parametrize("surname", ["Karimov", "Каримов"])
@pytest.mark.parametrize(
    "text", ["Karimov Toʻlqin", "KARIMOV TO'LQIN", "Каримов Тўлқин", "КАРИМОВ ТЎЛҚИНГА айтинг"]
)
def test_each_spelling_goes(appeal, surname, text, column) -> None:
    assert after_masking(appeal, surname, text, column) == ""


def test_one_who_has_his_surname_stays(appeal) -> None:
    assert after_masking(appeal, "Karimov", "Каримов Жасур", "text") == "Каримов Жасур"


@pytest.mark.parametrize(
    ("document", "stays"),
    [({}, False), ({"passport": "AB7654321"}, True), ({"pinfl": "31210932040247"}, True)],
)
def test_a_draft_with_other_documents_is_a_namesakes(appeal, sardor, document, stays) -> None:
    own = {"surname": appeal.surname, "first_name": appeal.first_name}
    appeals.save_draft(sardor, appeals.token_for(sardor, None), own | document)
    for change in traces.find(identity.of([appeal], [], [], "")):
        change()
    assert Draft.select().exists() == stays


def test_a_draft_with_his_document_goes_whatever_else_is_in_it(appeal, sardor) -> None:
    own = {"surname": appeal.surname, "pinfl": appeal.pinfl, "passport": "AB7654321"}
    appeals.save_draft(sardor, appeals.token_for(sardor, None), own)
    for change in traces.find(identity.of([appeal], [], [], "")):
        change()
    assert not Draft.select().exists()
