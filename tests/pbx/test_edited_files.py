"""Files of Asterisk's configuration that somebody edited: whatever they hold, they can be read."""

from pathlib import Path

from appliance.pbx import comparing, config


def test_a_file_in_another_encoding_is_changed_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "extensions.conf"
    file.write_text("[menu]\nexten => s,1,Answer()\n", "utf-8")
    config._note_rendered(tmp_path, {file.name: file.read_text("utf-8")})
    assert config.changed_by_hand(tmp_path) == []
    with file.open("ab") as stream:
        stream.write("; меню\n".encode("cp1251"))
    assert config.changed_by_hand(tmp_path) == [file.name]
    shown = ["[ Context 'menu' created by 'pbx_config' ]"]
    shown.append("  's' =>            1. Answer()                   [extensions.conf:2]")
    assert comparing.dialplan_differences(tmp_path, [file.name], shown) == []
    for name in ("modules.conf", "queues.conf"):
        (tmp_path / name).write_bytes("; модули\n".encode("cp1251"))
    assert comparing.not_running(tmp_path, []) == []
    assert comparing.queue_differences(tmp_path, []) == ([], [])


def test_a_damaged_note_of_what_was_rendered_names_no_file(tmp_path: Path) -> None:
    (tmp_path / config.MANIFEST).write_text('{"extensions.conf": "0')
    assert config.changed_by_hand(tmp_path) == []
