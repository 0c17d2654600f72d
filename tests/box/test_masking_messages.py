"""The names of a masked citizen are removed in any spelling; those of a namesake are kept."""

import pytest

from appliance.box.retention import identity, traces
from appliance.casework.forms import drafts
from appliance.core import clock, outbox
from appliance.models import AnswerDraft, Appeal, Draft, Message
from tests.box import retained


@pytest.fixture
def appeal(settings, nilufar, bahodir) -> Appeal:
    return retained.register_appeal(settings, nilufar)


def message_after_masking(appeal: Appeal, surname: str, text: str, column: str) -> str:
    """The remaining text or payload of a finished message after the appeal was masked."""
    Appeal.update(surname=surname, first_name="Тўлқин" if surname > "z" else "Toʻlqin").execute()
    content = {"text": text} if column == "text" else {"payload": {"line": text}}
    message = outbox.queue_message("telegram", "alarm", "-7", key="x", **content)
    Message.update(ended_at=clock.now(), state="sent").execute()
    who = identity.identify_citizen([Appeal.get_by_id(appeal.id)], [], [], "")
    for change in traces.trace_changes(who):
        change()
    stored = Message.get_by_id(message.id)
    return stored.text if column == "text" else stored.payload.get("line", "")


@pytest.mark.parametrize("column", ["text", "payload"])
@pytest.mark.parametrize("surname", ["Karimov", "Каримов"])
@pytest.mark.parametrize(
    "text", ["Karimov Toʻlqin", "KARIMOV TO'LQIN", "Каримов Тўлқин", "КАРИМОВ ТЎЛҚИНГА айтинг"]
)
def test_each_spelling_of_the_name_is_removed(appeal, surname, text, column) -> None:
    assert message_after_masking(appeal, surname, text, column) == ""


def test_a_person_with_the_same_surname_is_kept(appeal) -> None:
    assert message_after_masking(appeal, "Karimov", "Каримов Жасур", "text") == "Каримов Жасур"


@pytest.mark.parametrize(
    ("document", "stays"),
    [({}, False), ({"passport": "AB7654321"}, True), ({"pinfl": "31210932040247"}, True)],
)
def test_a_draft_with_other_documents_belongs_to_a_namesake(
    appeal, sardor, document, stays
) -> None:
    names = {"surname": appeal.surname, "first_name": appeal.first_name}
    drafts.save_draft(sardor, drafts.token_for(sardor, None), names | document)
    for change in traces.trace_changes(identity.identify_citizen([appeal], [], [], "")):
        change()
    assert Draft.select().exists() == stays


def test_a_draft_with_the_citizens_document_is_removed_whatever_else_it_contains(
    appeal, sardor
) -> None:
    values = {"surname": appeal.surname, "pinfl": appeal.pinfl, "passport": "AB7654321"}
    drafts.save_draft(sardor, drafts.token_for(sardor, None), values)
    for change in traces.trace_changes(identity.identify_citizen([appeal], [], [], "")):
        change()
    assert not Draft.select().exists()


def test_an_answer_that_is_being_written_keeps_its_newest_words(appeal, bahodir) -> None:
    name = f"{appeal.surname} {appeal.first_name}"
    draft = AnswerDraft.create(
        user=bahodir, appeal=appeal, action="answer", text=f"{name} haqida", updated_at=clock.now()
    )
    changes = traces.trace_changes(identity.identify_citizen([appeal], [], [], ""))
    AnswerDraft.update(text=f"{name} haqida maʼlumot berildi: {name}").execute()
    for change in changes:
        change()
    assert AnswerDraft.get_by_id(draft.id).text == "… haqida maʼlumot berildi: …"
