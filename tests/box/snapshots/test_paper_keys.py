"""Keys typed from the sheet: a mistyped group is named, a right one is accepted in any spelling."""

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
    """Pairs of kind and key, generated as in production."""
    data = "".join(secrets.choice(BECH32) for _ in range(58))
    return [("repository", sealing._generate_password()), ("recovery", f"AGE-SECRET-KEY-1{data}")]


def test_a_key_is_read_from_its_groups_in_any_spelling() -> None:
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
        group_index = seed % len(groups)
        for place in range(len(groups[group_index])):
            for letter in string.ascii_lowercase + string.digits:
                group = groups[group_index].lower()
                changed = group[:place] + letter + group[place + 1 :]
                if changed == group or _are_indistinguishable(group[place], letter):
                    continue
                typed = " ".join([*groups[:group_index], changed, *groups[group_index + 1 :]])
                with pytest.raises(paper_keys.PaperKeyError) as refusal:
                    paper_keys.read_key(typed, kind)
                assert refusal.value.groups == [group_index + 1]


def _are_indistinguishable(first: str, other: str) -> bool:
    """True for two symbols 31 apart, such as 0 and v, which the check cannot distinguish."""
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


def test_a_key_of_another_form_is_accepted_unchecked() -> None:
    custom = "k7Gq2ZtV9xLwB4nRm8sYc3uPdHf6jTqEw1oA5iNzXvKg"
    assert paper_keys.groups(custom) == []
    assert paper_keys.read_key(f"{custom}\n", "repository") == custom
    assert paper_keys.read_key("=correct horse battery", "repository") == "correct horse battery"


def test_the_program_prints_the_key_or_names_the_group() -> None:
    groups = paper_keys.groups(DISK)

    def run_program(text: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", paper_keys.__file__, "disk"]
        return subprocess.run(command, input=text, capture_output=True, text=True)

    assert run_program(" ".join(groups) + "\n").stdout == DISK
    changed = run_program(" ".join([*groups[:2], "aaaaa", *groups[3:]]) + "\n")
    assert changed.returncode == 1
    assert "group 3" in changed.stderr


def test_the_playbook_and_the_bare_restore_read_the_same_key() -> None:
    """The playbook writes a key to a file that backups/bare reads like a typed key."""
    generated = [(kind, " ".join(paper_keys.groups(key)), key) for kind, key in random_keys()]
    verbatim = ("correct horse battery", "abcdefghijklmnopqrstuvwx", "=x", "a-b")
    for kind, typed, key in [*generated, *(("repository", f"={text}", text) for text in verbatim)]:
        key_text = paper_key(typed, f"{kind}.key")
        assert paper_keys.read_key(f"{key_text}\n", kind) == key
