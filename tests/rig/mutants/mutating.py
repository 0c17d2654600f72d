"""The mutations of a module: each changes one element of a rule."""

import ast
import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq},
    **{ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn},
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult},
    **{ast.Div: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Mod: ast.Mult},
}


@dataclass(frozen=True)
class Mutation:
    """One change: `what` describes it, at a line of a file; `text` is the whole new text."""

    file: Path
    line: int
    what: str
    text: str


def draw_mutations(files: list[Path], count: int, seed: int) -> list[Mutation]:
    """Draw up to `count` mutations by a seed, in proportion to the number of each file."""
    sites = [(file, number) for file in files for number in range(count_mutations(file))]
    drawn = random.Random(seed).sample(sites, min(count, len(sites)))  # noqa: S311
    return [make_mutation(file, number) for file, number in sorted(drawn)]


def count_mutations(file: Path) -> int:
    """The number of possible mutations of a file."""
    return sum(1 for _ in _mutation_sites(ast.parse(file.read_text("utf-8"))))


def make_mutation(file: Path, number: int) -> Mutation:
    """The mutation of that number in a file."""
    text = file.read_text("utf-8")
    tree = ast.parse(text)
    for position, (node, what) in enumerate(_mutation_sites(tree)):
        if position == number:
            return Mutation(file, node.lineno, what, _with_change(text, node, what))
    raise IndexError(f"{file} offers no mutation {number}")


def _mutation_sites(tree: ast.Module) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """Each node inside a function body that can be changed, with a description of the change."""
    for scope in ast.walk(tree):
        if not isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for node in ast.walk(scope):
            if isinstance(node, ast.FunctionDef) and node is not scope:
                continue
            if what := _change_description(node):
                yield node, what  # type: ignore[misc]


def _change_description(node: ast.AST) -> str:
    """A description of the mutation of a node; empty for a node that is not mutated."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        return "another comparison"
    if isinstance(node, ast.BoolOp):
        return "and for or, or for and"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return "without not"
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC and not _is_text(node):
        return "another operator"
    if isinstance(node, ast.Constant) and type(node.value) in (int, bool):
        return "another constant"
    if isinstance(node, (ast.If, ast.IfExp)):
        return "the condition reversed"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return "the call left out"
    if isinstance(node, (ast.Assign, ast.AugAssign)) and isinstance(
        _assignment_target(node), (ast.Attribute, ast.Subscript)
    ):
        return "the assignment left out"
    return ""


def _assignment_target(node: ast.Assign | ast.AugAssign) -> ast.expr:
    return node.targets[0] if isinstance(node, ast.Assign) else node.target


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, (str, bytes)))
        for side in sides
    )


def _with_change(text: str, node: ast.stmt | ast.expr, what: str) -> str:
    """The module's text with the node changed in place."""
    fresh = copy.deepcopy(node)
    if isinstance(fresh, ast.Compare):
        fresh.ops[0] = _COMPARISONS[type(fresh.ops[0])]()
    elif isinstance(fresh, ast.BoolOp):
        fresh.op = ast.Or() if isinstance(fresh.op, ast.And) else ast.And()
    elif isinstance(fresh, ast.UnaryOp):
        return _replace_source(text, node, ast.unparse(fresh.operand))
    elif isinstance(fresh, ast.BinOp):
        fresh.op = _ARITHMETIC[type(fresh.op)]()
    elif isinstance(fresh, ast.Constant):
        value = fresh.value
        fresh.value = not value if isinstance(value, bool) else value + 1  # type: ignore[operator]
    elif isinstance(fresh, (ast.If, ast.IfExp)):
        return _replace_source(text, fresh.test, f"(not ({ast.unparse(fresh.test)}))")
    else:
        return _replace_source(text, node, "pass")
    return _replace_source(text, node, f"({ast.unparse(fresh)})")


def _replace_source(text: str, node: ast.stmt | ast.expr, code: str) -> str:
    """The text with the source of a node replaced; columns of the syntax tree count bytes."""
    lines = text.encode().splitlines(keepends=True)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    source = b"".join(lines)
    return (source[:start] + code.encode() + source[end:]).decode()
