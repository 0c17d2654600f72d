"""The list of faults that a site is tried with."""

import re
from collections import Counter
from pathlib import Path

from tests.rig.trials.seeing import FAULTS

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"


def test_each_fault_has_a_name_of_its_own() -> None:
    names = Counter(fault.name for fault in FAULTS)
    assert [name for name, times in names.items() if times > 1] == []


def test_the_check_of_each_fault_is_in_the_book() -> None:
    table = OPERATING.read_text("utf-8").split("| check | fails (or warns) when |")[1]
    told = set(re.findall(r"`([\w.]+)`", table.split("\n\n")[0]))
    codes = {fault.code for fault in FAULTS} - {"command"}
    wide = {
        re.sub(r"^(process|link|self_test|trunk|carrier_call|callers)\..*", r"\1.NAME", code)
        for code in codes
    }
    assert sorted(wide - told) == []


def test_what_is_broken_at_once_is_told_apart() -> None:
    told = Counter((fault.group, fault.code, fault.text) for fault in FAULTS)
    assert [one for one, times in told.items() if times > 1] == []
