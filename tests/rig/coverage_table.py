"""Coverage by package, printed at the end of a run with `--cov`."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import coverage

from appliance import PACKAGE


def coverage_lines(data_file: Path) -> Iterator[str]:
    """Yield a line for each package of the appliance, then one for all of them.

    A line has the number of statements, and the share of those that the tests executed. The data
    name every module, also those that no test imports.
    """
    measurement = coverage.Coverage(data_file)
    measurement.load()
    statements: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for file in measurement.get_data().measured_files():
        if not file.endswith(".py"):
            continue  # the code of a template carries the name of its file
        _, file_statements, _, missing_lines, _ = measurement.analysis2(file)
        package = Path(file).relative_to(PACKAGE).parts[0].removesuffix(".py")
        statements[package] += len(file_statements)
        missing[package] += len(missing_lines)
    for package in sorted(statements):
        yield _table_line(package, statements[package], missing[package])
    yield _table_line("all packages", statements.total(), missing.total())


def _table_line(name: str, statements: int, missing: int) -> str:
    share = 1 - missing / statements if statements else 1
    return f"{name:15} {statements:7,} statements {share:7.1%}"
