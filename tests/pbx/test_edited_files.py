"""Asterisk's configuration files after manual edits: they can be read whatever they contain."""

from pathlib import Path

from appliance.pbx import config, config_comparison


def test_a_file_in_another_encoding_counts_as_changed_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "extensions.conf"
    file.write_text("[menu]\nexten => s,1,Answer()\n", "utf-8")
    config._save_manifest(tmp_path, {file.name: file.read_text("utf-8")})
    assert config.manually_changed_files(tmp_path) == []
    with file.open("ab") as stream:
        stream.write("; меню\n".encode("cp1251"))
    assert config.manually_changed_files(tmp_path) == [file.name]
    console_lines = ["[ Context 'menu' created by 'pbx_config' ]"]
    console_lines.append("  's' =>            1. Answer()                   [extensions.conf:2]")
    assert config_comparison.differing_contexts(tmp_path, [file.name], console_lines) == []
    for name in ("modules.conf", "queues.conf"):
        (tmp_path / name).write_bytes("; модули\n".encode("cp1251"))
    assert config_comparison.modules_not_running(tmp_path, []) == []
    assert config_comparison.queue_differences(tmp_path, []) == ([], [])


def test_a_damaged_manifest_reports_no_changed_file(tmp_path: Path) -> None:
    (tmp_path / config.MANIFEST_NAME).write_text('{"extensions.conf": "0')
    assert config.manually_changed_files(tmp_path) == []
