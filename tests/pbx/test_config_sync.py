"""What is written into the directory is in force in the dialplan within seconds."""

from appliance.pbx import config_sync
from appliance.telephony import directory
from appliance.telephony.directory import Entry
from tests.pbx.box import Box


def test_hours_and_a_substitute_are_in_force_by_itself(box: Box) -> None:
    lola = directory.save(Entry("Lola", "712390101"), "rustam")
    murod = Entry("Murod", "712390102", hours="09:00-18:00", substitute_id=lola.id)
    directory.save(murod, "rustam")
    rendered = box.settings.paths.asterisk / "transfer.conf"
    assert "+998712390102" not in rendered.read_text()
    assert "transfer.conf" in config_sync.put_in_force(box.settings)
    assert "Gosub(at-work,s,1(${TO},+998712390101))" in rendered.read_text()
    assert "Gosub(hours-of,s,1(09:00,18:00))" in rendered.read_text()
    assert config_sync.put_in_force(box.settings) == []
