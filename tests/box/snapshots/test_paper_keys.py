"""Keys typed off the sheet: a mistyped group is named, a right one is taken in any spelling."""

import secrets
import string
import subprocess
import sys

import pytest

from appliance.box.snapshots import sealing
from backups import paper_keys
from provisioning.ansible.filter_plugins.paper_keys import paper_key

DISK = "k7gq-2ztv-9xqw-b4nr-m8sy-c3up"
RECOVERY = "AGE-SECRET-KEY-1" + "QYQSZQGP" * 7 + "HJ"
BECH32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"


def random_keys() -> list[tuple[str, str]]:
    """Kind and key, as they are made."""
    data = "".join(secrets.choice(BECH32) for _ in range(58))
    return [("repository", sealing._password()), ("recovery", f"AGE-SECRET-KEY-1{data}")]


def test_a_key_comes_back_from_its_groups_in_any_spelling() -> None:
    for kind, key in [*random_keys(), ("disk", DISK), ("recovery", RECOVERY)]:
        groups = paper_keys.groups(key)
        assert len(groups) == (15 if kind == "recovery" else 6)
        for typed in (
            " ".join(groups),
            "-".join(groups).lower(),
            "  ".join(groups).upper() + "\n",
            "".join(groups),
            key,
            key.replace("-", "") if kind == "recovery" else key.replace("-", " "),
            f"={key}",
        ):
            assert paper_keys.read_key(typed, kind) == key, typed
    assert paper_keys.read_key(
        f"AGE-SECRET-KEY-1 {' '.join(paper_keys.groups(RECOVERY))}", "recovery"
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_wrong_group_is_named(seed: int) -> None:
    for kind, key in random_keys():
        groups = paper_keys.groups(key)
        at = seed % len(groups)
        for place in range(len(groups[at])):
            for letter in string.ascii_lowercase + string.digits:
                group = groups[at].lower()
                changed = group[:place] + letter + group[place + 1 :]
                if changed == group or _look_alike(group[place], letter):
                    continue
                typed = " ".join([*groups[:at], changed, *groups[at + 1 :]])
                with pytest.raises(paper_keys.PaperKeyError) as refusal:
                    paper_keys.read_key(typed, kind)
                assert refusal.value.groups == [at + 1]


def _look_alike(first: str, other: str) -> bool:
    """Two symbols that are 31 apart, which the check cannot distinguish: 0 and v …"""
    return abs(paper_keys.SYMBOLS.index(first) - paper_keys.SYMBOLS.index(other)) == 31


def test_exchanged_and_missing_groups_are_named() -> None:
    groups = paper_keys.groups(DISK)
    exchanged = [groups[1], groups[0], *groups[2:]]
    with pytest.raises(paper_keys.PaperKeyError) as refusal:
        paper_keys.read_key(" ".join(exchanged), "disk")
    assert refusal.value.groups == [1, 2]
    with pytest.raises(paper_keys.PaperKeyError, match="letters are missing") as refusal:
        paper_keys.read_key(" ".join(groups[:-1]), "disk")
    assert refusal.value.groups == []
    short = " ".join([groups[0][:-1], *groups[1:]])
    with pytest.raises(paper_keys.PaperKeyError, match="group 1 is not as on the sheet"):
        paper_keys.read_key(short, "disk")


def test_a_key_of_another_form_is_left_alone() -> None:
    custom = "k7Gq2ZtV9xLwB4nRm8sYc3uPdHf6jTqEw1oA5iNzXvKg"
    assert paper_keys.groups(custom) == []
    assert paper_keys.read_key(f"{custom}\n", "repository") == custom
    assert paper_keys.read_key("=correct horse battery", "repository") == "correct horse battery"


def test_the_program_prints_the_key_or_names_the_group() -> None:
    groups = paper_keys.groups(DISK)

    def run(text: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", paper_keys.__file__, "disk"]
        return subprocess.run(command, input=text, capture_output=True, text=True)

    assert run(" ".join(groups) + "\n").stdout == DISK
    changed = run(" ".join([*groups[:2], "aaaaa", *groups[3:]]) + "\n")
    assert changed.returncode == 1
    assert "group 3" in changed.stderr


def test_the_playbook_and_then_the_bare_restore_read_the_same_key() -> None:
    """The playbook writes a key into a file that backups/bare reads as one that was typed."""
    own = [(kind, " ".join(paper_keys.groups(key)), key) for kind, key in random_keys()]
    verbatim = ("correct horse battery", "abcdefghijklmnopqrstuvwx", "=x", "a-b")
    for kind, typed, key in [*own, *(("repository", f"={text}", text) for text in verbatim)]:
        written = paper_key(typed, f"{kind}.key")
        assert paper_keys.read_key(f"{written}\n", kind) == key
