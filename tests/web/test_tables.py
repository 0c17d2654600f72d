"""Views access no tables: what the import rules in setup.cfg cannot detect."""

import ast
from collections.abc import Iterator
from configparser import ConfigParser
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


def layer_numbers() -> dict[str, int]:
    """Return the layer of each package by the import rules; the topmost is 0."""
    config = ConfigParser()
    config.read(PACKAGE_FOLDER.parent / "setup.cfg", "utf-8")
    layers = config["importlinter:contract:packages"]["layers"].split("\n")
    lines = [line for line in layers if line.strip()]
    return {name.strip(): n for n, line in enumerate(lines) for name in line.split("|")}


def test_imports_just_for_a_type_point_downward() -> None:
    """The import rules ignore such imports: they could point upward undetected."""
    layers = layer_numbers()
    type_imports = [
        (file.relative_to(PACKAGE_FOLDER).parts[0], (statement.module or "").split("."))
        for file, tree in parse_files(PACKAGE_FOLDER)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in ast.walk(node)
        if isinstance(statement, ast.ImportFrom)
    ]
    own_imports = [
        (importer, module[1]) for importer, module in type_imports if module[0] == "appliance"
    ]
    assert own_imports
    upward_imports = [
        (importer, package)
        for importer, package in own_imports
        if importer != package and layers[importer] >= layers[package]
    ]
    assert upward_imports == []
