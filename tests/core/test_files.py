"""Files that several processes write."""

import threading

import pytest

from appliance.core.files import locked_folder, replacement_file


def test_writers_of_one_target_never_share_a_file(tmp_path) -> None:
    target = tmp_path / "report.json"
    with replacement_file(target) as first, replacement_file(target) as second:
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"  # the outer block ends last
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_writer_leaves_the_target_unchanged(tmp_path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")

    def fail_in_the_middle() -> None:
        with replacement_file(target) as new_file:
            new_file.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail_in_the_middle()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_locked_folder_admits_one_holder_at_a_time(tmp_path) -> None:
    folder = tmp_path / "new" / "packs"
    entered = threading.Event()

    def enter() -> None:
        with locked_folder(folder):
            entered.set()

    waiting = threading.Thread(target=enter)
    with locked_folder(folder):
        waiting.start()
        assert not entered.wait(0.2)
    waiting.join(timeout=30)
    assert entered.is_set()
    assert not list(folder.iterdir())
