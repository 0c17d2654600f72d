"""Views access no tables: what the import rules in setup.cfg cannot detect."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE_FOLDER = Path(__file__).parents[2] / "appliance"
WEB_FOLDER = PACKAGE_FOLDER / "web"
QUERY_METHODS = {"execute", "get_by_id", "get_or_none", "order_by", "select", "where"}


def parse_files(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(folder.rglob("*.py")):
        yield file, ast.parse(file.read_text("utf-8"))


def test_no_view_builds_or_filters_a_query() -> None:
    query_places = [
        f"{file.relative_to(PACKAGE_FOLDER)}:{node.lineno} .{node.attr}"
        for file, tree in parse_files(WEB_FOLDER)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in QUERY_METHODS
    ]
    assert query_places == []


def test_only_views_import_a_table_just_for_its_type() -> None:
    """The import rules ignore such imports: elsewhere they could point upward undetected."""
    type_imports = [
        (file, statement.module or "")
        for file, tree in parse_files(PACKAGE_FOLDER)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in ast.walk(node)
        if isinstance(statement, ast.ImportFrom)
    ]
    own_files = {
        file for file, module in type_imports if module.split(".")[0] == PACKAGE_FOLDER.name
    }
    assert own_files
    assert all(file.is_relative_to(WEB_FOLDER) for file in own_files)
