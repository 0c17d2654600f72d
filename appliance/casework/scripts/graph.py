"""A script as a drawing: steps in layers from the top, ways between them. Places only, no colours.

Layered drawing after Sugiyama: a way that goes back up is turned while layers are made, a layer
holds as many steps as a page is wide for, a way over several layers gets a bend in each, each layer
is put in the order of its neighbours' middles, and what is next to each other moves as near to its
neighbours as there is room. The libraries that do this need the program of Graphviz or weigh more
than the application.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from appliance.casework.scripts.definition import Definition

WIDE, HIGH = 168, 44  # of a step's box
GAP, BEND, LAYER = 20, 4, 96  # between boxes, of a bend, from layer to layer
EDGE = 16  # around the drawing
MOST = 5  # steps in a layer
_SWEEPS = 12


@dataclass(frozen=True)
class Box:
    """A step: its code and the middle of its box."""

    code: str
    x: float
    y: float


@dataclass(frozen=True)
class Way:
    """From which step answers lead to which, their numbers, and the points of the line.

    `up`: it leads back to a step above.
    """

    before: str
    after: str
    numbers: tuple[int, ...]
    points: tuple[tuple[float, float], ...]
    up: bool = False


@dataclass(frozen=True)
class Drawing:
    wide: float
    high: float
    boxes: tuple[Box, ...]
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class _Edge:
    before: int
    after: int

    @property
    def turned(self) -> tuple[int, int]:
        return self.after, self.before


def drawn(script: Definition) -> Drawing:
    """Where each step stands and how its answers run; answers to no step are left out."""
    codes = [step.code for step in script.steps]
    place = {code: number for number, code in enumerate(codes)}
    numbers = defaultdict(list)
    for step in script.steps:
        for number, answer in enumerate(step.answers, 1):
            if answer.to in place:
                numbers[_Edge(place[step.code], place[answer.to])].append(number)
    edges = list(numbers)
    up = _upward(len(codes), edges)
    down = [edge.turned if edge in up else (edge.before, edge.after) for edge in edges]
    ways_down = [pair for pair in down if pair[0] != pair[1]]
    layer = _narrowed(_layers(len(codes), ways_down), ways_down)
    chains, layers = _with_bends(layer, down, [edge in up for edge in edges])
    _order(layers, chains)
    x = _across(layers, chains, len(codes))
    left = min(value - _half(node, len(codes)) for node, value in x.items()) - EDGE
    at = {
        node: (x[node] - left, EDGE + HIGH / 2 + LAYER * depth)
        for depth, row in enumerate(layers)
        for node in row
    }
    boxes = tuple(Box(code, *at[number]) for number, code in enumerate(codes))
    ways = tuple(
        Way(
            codes[e.before],
            codes[e.after],
            tuple(numbers[e]),
            _line(e, chain, at, e in up),
            e in up,
        )
        for e, chain in zip(edges, chains, strict=True)
    )
    reach = [box.x + WIDE / 2 for box in boxes]
    reach += [point[0] for way in ways for point in way.points]
    return Drawing(max(reach) + EDGE, EDGE * 2 + HIGH + LAYER * (len(layers) - 1), boxes, ways)


def _upward(size: int, edges: Sequence[_Edge]) -> set[_Edge]:
    """The edges that close a ring, found by going down from the first node, then from others."""
    leaving = defaultdict(list)
    for edge in edges:
        leaving[edge.before].append(edge)
    done: set[int] = set()
    up: set[_Edge] = set()
    for root in range(size):
        if root in done:
            continue
        open_, stack = {root}, [(root, iter(leaving[root]))]
        while stack:
            node, rest = stack[-1]
            found = next(rest, None)
            if found is None:
                stack.pop()
                open_.discard(node)
                done.add(node)
            elif found.after in open_:
                up.add(found)
            elif found.after not in done:
                open_.add(found.after)
                stack.append((found.after, iter(leaving[found.after])))
    return up


def _layers(size: int, down: Sequence[tuple[int, int]]) -> list[int]:
    """The layer of each node: one below the lowest that leads to it."""
    waits = [0] * size
    after = defaultdict(list)
    for one, other in down:
        waits[other] += 1
        after[one].append(other)
    layer = [0] * size
    free = [node for node in range(size) if not waits[node]]
    while free:
        node = free.pop()
        for other in after[node]:
            layer[other] = max(layer[other], layer[node] + 1)
            waits[other] -= 1
            if not waits[other]:
                free.append(other)
    return layer


def _narrowed(layer: Sequence[int], down: Sequence[tuple[int, int]]) -> list[int]:
    """The same layers with at most MOST steps in each, so that a page is wide enough for them.

    What has no room stands in the next layer that has, and all that it leads to below it.
    """
    above = defaultdict(list)
    for one, other in down:
        above[other].append(one)
    found = [*layer]
    held: dict[int, int] = defaultdict(int)
    for node in sorted(range(len(layer)), key=lambda one: (layer[one], one)):
        lowest = max((found[one] + 1 for one in above[node]), default=0)
        found[node] = next(n for n in count(lowest) if held[n] < MOST)
        held[found[node]] += 1
    return found


def _with_bends(
    layer: Sequence[int], down: Sequence[tuple[int, int]], up: Sequence[bool]
) -> tuple[list[list[int]], list[list[int]]]:
    """For each edge its nodes from layer to layer, and the nodes of each layer, bends among them.

    A bend is a node beyond those of the steps. Edges that come to the same step share theirs, as
    many lines on one map.
    """
    layers: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for node, depth in enumerate(layer):
        layers[depth].append(node)
    chains: list[list[int]] = []
    bends: dict[tuple[int, bool, int], int] = {}
    for (one, other), turned in zip(down, up, strict=True):
        chain = [one]
        for depth in range(layer[one] + 1, layer[other]):
            key = (one if turned else other, turned, depth)
            if key not in bends:
                bends[key] = len(layer) + len(bends)
                layers[depth].append(bends[key])
            chain.append(bends[key])
        chains.append(chain if one == other else [*chain, other])
    return chains, layers


def _neighbours(chains: Sequence[Sequence[int]]) -> tuple[dict[int, list[int]], ...]:
    above: dict[int, list[int]] = defaultdict(list)
    below: dict[int, list[int]] = defaultdict(list)
    for chain in chains:
        for one, other in zip(chain, chain[1:], strict=False):
            if other not in below[one]:
                below[one].append(other)
                above[other].append(one)
    return above, below


def _order(layers: list[list[int]], chains: Sequence[Sequence[int]]) -> None:
    """Put each layer in the order of the middles of what it is joined to, down and up in turns."""
    above, below = _neighbours(chains)
    best, fewest = [[*row] for row in layers], _crossings(layers, below)
    for sweep in range(_SWEEPS):
        joined = below if sweep % 2 else above
        for row in reversed(layers) if sweep % 2 else layers:
            place = {node: n for other in layers for n, node in enumerate(other)}
            middle = {
                node: sum(place[o] for o in joined[node]) / len(joined[node])
                if joined[node]
                else place[node]
                for node in row
            }
            row[:] = [node for *_, node in sorted((middle[n], place[n], n) for n in row)]
        if (now := _crossings(layers, below)) < fewest:
            best, fewest = [[*row] for row in layers], now
    layers[:] = best


def _crossings(layers: Sequence[Sequence[int]], below: dict[int, list[int]]) -> int:
    found = 0
    for row, under in zip(layers, layers[1:], strict=False):
        place = {node: n for n, node in enumerate(under)}
        ends = [end for node in row for end in sorted(place[other] for other in below[node])]
        found += sum(a > b for n, a in enumerate(ends) for b in ends[n + 1 :])
    return found


def _across(
    layers: Sequence[Sequence[int]], chains: Sequence[Sequence[int]], steps: int
) -> dict[int, float]:
    """The place of each node across: near the middle of its neighbours, with room between."""
    above, below = _neighbours(chains)
    x: dict[int, float] = {}
    wide = 0.0  # of the widest layer; none reaches beyond it
    for row in layers:
        at = 0.0
        for node in row:
            at += _half(node, steps)
            x[node] = at
            at += _half(node, steps) + GAP
        wide = max(wide, at - GAP)
    for sweep in range(_SWEEPS * 2):
        joined = (above, below)[sweep % 2]
        for row in reversed(layers) if sweep % 2 else layers:
            wanted = [_middle([x[o] for o in joined[n]] or [x[n]]) for n in row]
            for node, value in zip(row, _apart(row, wanted, steps, wide), strict=True):
                x[node] = value
    return x


def _apart(row: Sequence[int], wanted: Sequence[float], steps: int, wide: float) -> list[float]:
    """Places as near to those wanted as the widths allow: neighbours that press move together."""
    offsets = [0.0]
    for one, other in zip(row, row[1:], strict=False):
        offsets.append(offsets[-1] + _half(one, steps) + GAP + _half(other, steps))
    blocks: list[list[float]] = []  # each: sum of what its members want, how many they are
    for want, offset in zip(wanted, offsets, strict=True):
        blocks.append([want - offset, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    places = [total / count for total, count in blocks for _ in range(int(count))]
    left, right = _half(row[0], steps), wide - _half(row[-1], steps) - offsets[-1]
    return [min(max(p, left), right) + offset for p, offset in zip(places, offsets, strict=True)]


def _middle(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _half(node: int, steps: int) -> float:
    return WIDE / 2 if node < steps else BEND / 2


def _line(
    edge: _Edge, chain: Sequence[int], at: dict[int, tuple[float, float]], up: bool
) -> tuple[tuple[float, float], ...]:
    """The points of a way, from the step that it leaves to the one that it comes to."""
    if edge.before == edge.after:  # beside its own box
        x, y = at[edge.before]
        right = x + WIDE / 2
        return ((right, y - 8), (right + EDGE, y - 8), (right + EDGE, y + 8), (right, y + 8))
    places = [at[node] for node in chain]
    places[0] = (places[0][0], places[0][1] + HIGH / 2)
    places[-1] = (places[-1][0], places[-1][1] - HIGH / 2)
    return tuple(reversed(places)) if up else tuple(places)
