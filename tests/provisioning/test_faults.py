"""The list of faults with which a site is tested."""

import re
from collections import Counter
from pathlib import Path

from tests.rig.trials.fault_trial import ALL_FAULTS

SELF_CHECKS = Path(__file__).parents[2] / "docs" / "operating" / "self-checks.md"


def test_each_fault_has_a_unique_name() -> None:
    names = Counter(fault.name for fault in ALL_FAULTS)
    assert [name for name, times in names.items() if times > 1] == []


def test_the_check_of_each_fault_is_documented() -> None:
    table = SELF_CHECKS.read_text("utf-8").split("| check | fails (or warns) when |")[1]
    documented = set(re.findall(r"`([\w.]+)`", table.split("\n\n")[0]))
    codes = {fault.code for fault in ALL_FAULTS} - {"command"}
    wide = {
        re.sub(r"^(process|link|self_test|trunk|carrier_call|callers)\..*", r"\1.NAME", code)
        for code in codes
    }
    assert sorted(wide - documented) == []


def test_faults_of_one_group_are_distinguishable() -> None:
    counts = Counter((fault.group, fault.code, fault.text) for fault in ALL_FAULTS)
    assert [signature for signature, times in counts.items() if times > 1] == []
