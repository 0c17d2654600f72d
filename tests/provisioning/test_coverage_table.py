"""The table of coverage that the build machine prints."""

from pathlib import Path

from coverage import CoverageData

from appliance import PACKAGE
from tests.rig.coverage_table import coverage_lines

EVERY_LINE = range(1, 400)


def test_each_package_has_the_share_of_its_executed_statements(tmp_path: Path) -> None:
    file = tmp_path / "data"
    data = CoverageData(str(file))
    executed_files = [PACKAGE / "core" / "clock.py", PACKAGE / "core" / "files.py"]
    data.add_lines({str(path): EVERY_LINE for path in executed_files})
    data.touch_file(str(PACKAGE / "jobs" / "timetable.py"))
    data.add_lines({str(PACKAGE / "reports" / "templates" / "bars.svg"): [1, 2]})
    data.write()

    rows = {line.partition("  ")[0]: line.split()[-1] for line in coverage_lines(file)}

    executed_share = rows.pop("all packages")
    assert rows == {"core": "100.0%", "jobs": "0.0%"}
    assert executed_share not in rows.values()
