"""A message about another cause that names a masked citizen goes, however it spells him."""

import pytest

from appliance.box.retention import identity, traces
from appliance.core import clock, outbox
from appliance.models import Appeal, Message
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
