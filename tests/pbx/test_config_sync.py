"""A change of the directory takes effect in the dialplan within seconds."""

from appliance.pbx import config_sync
from appliance.telephony import directory
from appliance.telephony.directory import DirectoryEntry
from tests.pbx.box import Box


def test_hours_and_a_substitute_take_effect_by_themselves(box: Box) -> None:
    lola = directory.save_employee(DirectoryEntry("Lola", "712390101"), "rustam")
    murod = DirectoryEntry("Murod", "712390102", hours="09:00-18:00", substitute_id=lola.id)
    directory.save_employee(murod, "rustam")
    rendered = box.settings.paths.asterisk / "transfer.conf"
    assert "+998712390102" not in rendered.read_text()
    assert "transfer.conf" in config_sync.apply_changes(box.settings)
    assert "Gosub(at-work,s,1(${TO},+998712390101))" in rendered.read_text()
    assert "Gosub(hours-of,s,1(09:00,18:00))" in rendered.read_text()
    assert config_sync.apply_changes(box.settings) == []
