"""Views touch no tables: what the import rules in setup.cfg cannot see."""

import ast
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2] / "appliance"
WEB = HOUSE / "web"
QUERIES = {"execute", "get_by_id", "get_or_none", "order_by", "select", "where"}


def parsed(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(folder.rglob("*.py")):
        yield file, ast.parse(file.read_text("utf-8"))


def test_no_view_makes_or_narrows_a_query() -> None:
    found = [
        f"{file.relative_to(HOUSE)}:{node.lineno} .{node.attr}"
        for file, tree in parsed(WEB)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in QUERIES
    ]
    assert found == []


def test_only_views_import_a_table_for_its_type_alone() -> None:
    """The import rules pass over such imports: elsewhere they could run upward unseen."""
    found = [
        (file, told.module or "")
        for file, tree in parsed(HOUSE)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for told in ast.walk(node)
        if isinstance(told, ast.ImportFrom)
    ]
    ours = {file for file, module in found if module.split(".")[0] == HOUSE.name}
    assert ours
    assert all(file.is_relative_to(WEB) for file in ours)
