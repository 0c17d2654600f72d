"""What is written into the directory is in force in the dialplan within seconds."""

from box import Box

from appliance import directory
from appliance.directory import Entry
from appliance.pbx import upkeep


def test_a_substitute_is_in_force_by_itself(box: Box) -> None:
    lola = directory.save(Entry("Lola", "712390101"), "rustam")
    directory.save(Entry("Murod", "712390102", substitute_id=lola.id), "rustam")
    rendered = box.settings.paths.asterisk / "transfer.conf"
    assert "+998712390102" not in rendered.read_text()
    assert "transfer.conf" in upkeep.put_in_force(box.settings)
    assert "exten => +998712390102,1,Set(SUBSTITUTE=+998712390101)" in rendered.read_text()
    assert upkeep.put_in_force(box.settings) == []
