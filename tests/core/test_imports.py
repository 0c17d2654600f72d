"""A name has one import path (docs/developing.md, Import rules); what a process loads."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import appliance

ROOT = Path(appliance.__file__).parent.parent


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {
    _module_name(path): ast.parse(path.read_bytes())
    for path in sorted((ROOT / "appliance").rglob("*.py"))
}


def _imported_names(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Module, name and line of each `from appliance… import …` and of each `module.name`."""
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("appliance"):
            for alias in node.names:
                yield str(node.module), alias.name, node.lineno
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id, "")
            if module in TREES:
                yield module, node.attr, node.lineno


def _import_sources(tree: ast.Module) -> dict[str, str]:
    """Name → module from which a module's import statements bind it."""
    return {
        alias.asname or alias.name: (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _listed_names(package: str) -> set[str] | None:
    """The strings of a package's `__all__`; None without one."""
    assignments = [
        node
        for node in TREES[package].body
        if (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        or (isinstance(node, ast.AugAssign) and ast.unparse(node.target) == "__all__")
    ]
    names = (name for node in assignments for name in ast.walk(node.value))
    listed = {name.value for name in names if isinstance(name, ast.Constant)}
    return listed if assignments else None


SOURCES = {module: _import_sources(tree) for module, tree in TREES.items()}
LISTED_NAMES = {
    package: names
    for package in TREES
    if (names := _listed_names(package)) is not None
    and any(module.startswith(f"{package}.") for module in TREES)
}


def _fault(importer: str, module: str, name: str) -> str:
    """Say why `importer` does not import `name` from `module`; "" if it may."""
    full_name = f"{module}.{name}"
    for package, listed in LISTED_NAMES.items():
        if f"{importer}.".startswith(f"{package}."):
            continue
        if module == package and name not in listed:
            return f"{package}.__all__ does not list {name}"
        if f"{module}.".startswith(f"{package}.") and module != package:
            if name in listed and SOURCES[package].get(name) == module:
                return f"{name} is imported from {package}"
            if module.removeprefix(f"{package}.").partition(".")[0] not in listed:
                return f"{package}.__all__ lists neither {name} nor {module}"
    is_imported_there = module in TREES and name in SOURCES[module]
    if module not in LISTED_NAMES and full_name not in TREES and is_imported_there:
        return f"{module} imports {name} itself"
    return ""


def test_a_name_has_one_import_path() -> None:
    faults = [
        f"{importer}, line {line}: {fault}"
        for importer, tree in TREES.items()
        for module, name, line in _imported_names(tree)
        if (fault := _fault(importer, module, name))
    ]
    assert not faults, "\n".join(faults)


def test_a_listed_name_exists() -> None:
    """A module in `__all__` needs no import; any other name is imported or defined."""
    for package, listed in LISTED_NAMES.items():
        defined_names = SOURCES[package].keys() | {
            name.id if isinstance(name, ast.Name) else name.name
            for node in TREES[package].body
            for name in ast.walk(node)
            if isinstance(name, ast.Name | ast.FunctionDef | ast.ClassDef)
        }
        modules = {name for name in listed if f"{package}.{name}" in TREES}
        assert not listed - defined_names - modules, package


@pytest.mark.parametrize("module", ["appliance.pbx.process", "appliance.web"])
def test_a_process_loads_no_http_client_as_it_starts(module: str) -> None:
    """It costs some 8 MB in each process, of which only rare tasks make use."""
    program = f"import sys, {module}; print('requests' in sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert process.stdout == "False\n"
