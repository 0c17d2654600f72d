"""The layout of a script's graph: the positions of its steps, in layers, and of its connections.

Layered drawing after Sugiyama: an edge that leads back up is reversed while layers are made, a
layer holds as many steps as fit the width of a page, an edge over several layers gets a bend in
each, the nodes of a layer are ordered by the mean position of their neighbours, and nodes move as
near to their neighbours as there is room. The libraries that do this need the Graphviz program or
are larger than the application.

A node is a step, numbered from 0 in the script's order, or a bend, numbered after the steps. A
layer is a horizontal row of nodes; the first is at the top. A chain is the list of nodes through
which an edge passes, from the upper step to the lower one.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from appliance.casework.scripts.definition import Definition

# all lengths are in pixels
BOX_WIDTH, BOX_HEIGHT = 168, 44  # of a step's box
BOX_GAP, BEND_WIDTH, LAYER_DISTANCE = 20, 4, 96  # between boxes, of a bend, between layers
MARGIN = 16  # around the drawing
MAX_STEPS_PER_LAYER = 5  # steps in a layer
_ORDERING_SWEEPS = 12  # how often all layers are ordered, by turns from the top and the bottom


@dataclass(frozen=True)
class Box:
    """A step: its code and the middle of its box, in pixels from the top left corner."""

    code: str
    x: float
    y: float


@dataclass(frozen=True)
class Connection:
    """A connection from the step `before` to the step `after`, which are codes of steps.

    `numbers` are those (from 1) of the answers of `before` that lead there; `points` are the points
    (x, y) of the line, in the direction of the connection. `up`: it leads back to a step above.
    """

    before: str
    after: str
    numbers: tuple[int, ...]
    points: tuple[tuple[float, float], ...]
    up: bool = False


@dataclass(frozen=True)
class Drawing:
    """The size of the drawing in pixels, its boxes in the order of the steps, its connections."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    connections: tuple[Connection, ...]


@dataclass(frozen=True)
class _Edge:
    """An edge between two steps, by their numbers from 0."""

    before: int
    after: int

    @property
    def reversed_nodes(self) -> tuple[int, int]:
        """The two steps in reverse order: (after, before)."""
        return self.after, self.before


class _Block(NamedTuple):
    """Nodes of a layer that are placed side by side.

    The start that a node prefers is where the layer's first node would be if the node had its
    preferred x, and all nodes between the two were side by side.
    """

    total: float  # the sum of the starts that the block's nodes prefer
    size: int  # the number of these nodes

    @property
    def start(self) -> float:
        """The mean of the starts that the nodes prefer."""
        return self.total / self.size


def layout_script(script: Definition) -> Drawing:
    """Return the drawing of a script; answers that lead to no step are left out."""
    codes = [step.code for step in script.steps]
    node_of_code = {code: number for number, code in enumerate(codes)}
    numbers = defaultdict(list)
    for step in script.steps:
        for number, answer in enumerate(step.answers, 1):
            if answer.to in node_of_code:
                numbers[_Edge(node_of_code[step.code], node_of_code[answer.to])].append(number)
    edges = list(numbers)
    # edges that lead back up are reversed until the points of the connections are computed
    upward = _cycle_edges(len(codes), edges)
    downward = [
        edge.reversed_nodes if edge in upward else (edge.before, edge.after) for edge in edges
    ]
    # an edge from a step to itself is no reason to place it in another layer
    downward_pairs = [pair for pair in downward if pair[0] != pair[1]]
    layer_of_node = _limit_layer_sizes(_assign_layers(len(codes), downward_pairs), downward_pairs)
    chains, layers = _insert_bends(layer_of_node, downward, [edge in upward for edge in edges])
    _order_layers(layers, chains)
    x = _horizontal_positions(layers, chains, len(codes))
    min_x = min(middle - _half_width(node, len(codes)) for node, middle in x.items()) - MARGIN
    positions = {
        node: (x[node] - min_x, MARGIN + BOX_HEIGHT / 2 + LAYER_DISTANCE * depth)
        for depth, nodes in enumerate(layers)
        for node in nodes
    }
    boxes = tuple(Box(code, *positions[number]) for number, code in enumerate(codes))
    connections = tuple(
        Connection(
            codes[graph_edge.before],
            codes[graph_edge.after],
            tuple(numbers[graph_edge]),
            _connection_points(graph_edge, chain, positions, graph_edge in upward),
            graph_edge in upward,
        )
        for graph_edge, chain in zip(edges, chains, strict=True)
    )
    right_ends = [box.x + BOX_WIDTH / 2 for box in boxes]
    right_ends += [point[0] for connection in connections for point in connection.points]
    return Drawing(
        max(right_ends) + MARGIN,
        MARGIN * 2 + BOX_HEIGHT + LAYER_DISTANCE * (len(layers) - 1),
        boxes,
        connections,
    )


def _cycle_edges(size: int, edges: Sequence[_Edge]) -> set[_Edge]:
    """Return the edges that close a cycle; without them, no path leads back to its start.

    `size` is the number of steps. The depth-first search begins at step 0, the script's first one,
    then at steps that it has not reached.
    """
    leaving = defaultdict(list)
    for edge in edges:
        leaving[edge.before].append(edge)
    finished: set[int] = set()
    cycle_edges: set[_Edge] = set()
    for root in range(size):
        if root in finished:
            continue
        on_path, stack = {root}, [(root, iter(leaving[root]))]
        while stack:
            node, remaining = stack[-1]
            next_edge = next(remaining, None)
            if next_edge is None:
                stack.pop()
                on_path.discard(node)
                finished.add(node)
            elif next_edge.after in on_path:
                cycle_edges.add(next_edge)
            elif next_edge.after not in finished:
                on_path.add(next_edge.after)
                stack.append((next_edge.after, iter(leaving[next_edge.after])))
    return cycle_edges


def _assign_layers(size: int, downward: Sequence[tuple[int, int]]) -> list[int]:
    """Return the layer of each step: one below the lowest step that leads to it, 0 if no step does.

    `downward` are the edges (upper step, lower step), without cycles; `size` counts the steps.
    """
    pending_counts = [0] * size
    successors = defaultdict(list)
    for source, target in downward:
        pending_counts[target] += 1
        successors[source].append(target)
    layer_of_node = [0] * size
    ready = [node for node in range(size) if not pending_counts[node]]
    while ready:
        node = ready.pop()
        for target in successors[node]:
            layer_of_node[target] = max(layer_of_node[target], layer_of_node[node] + 1)
            pending_counts[target] -= 1
            if not pending_counts[target]:
                ready.append(target)
    return layer_of_node


def _limit_layer_sizes(
    layer_of_node: Sequence[int], downward: Sequence[tuple[int, int]]
) -> list[int]:
    """Return the layer of each step so that no layer has more than MAX_STEPS_PER_LAYER steps.

    The drawing then fits the width of a page. A step for which its layer has no room is moved to
    the next layer that has room; all steps that it leads to are moved below it. `downward` are the
    edges (upper step, lower step).
    """
    above = defaultdict(list)
    for upper, lower in downward:
        above[lower].append(upper)
    new_layer_of_node = [*layer_of_node]
    layer_sizes: dict[int, int] = defaultdict(int)
    for node in sorted(
        range(len(layer_of_node)), key=lambda position: (layer_of_node[position], position)
    ):
        min_depth = max((new_layer_of_node[upper] + 1 for upper in above[node]), default=0)
        new_layer_of_node[node] = next(
            depth for depth in count(min_depth) if layer_sizes[depth] < MAX_STEPS_PER_LAYER
        )
        layer_sizes[new_layer_of_node[node]] += 1
    return new_layer_of_node


def _insert_bends(
    layer_of_node: Sequence[int], downward: Sequence[tuple[int, int]], is_upward: Sequence[bool]
) -> tuple[list[list[int]], list[list[int]]]:
    """Return the chain of each edge of `downward`, and the nodes of each layer.

    A chain is the list of nodes through which an edge passes, one per layer, from the upper step to
    the lower one. Where the edge passes a layer, chain and layer get a bend: a node with a number
    above those of the steps. Edges that lead to the same step share bends, as on a route map.
    `is_upward` is True for each edge that was reversed: it leads to the upper step.
    """
    layers: list[list[int]] = [[] for _ in range(max(layer_of_node) + 1)]
    for node, depth in enumerate(layer_of_node):
        layers[depth].append(node)
    chains: list[list[int]] = []
    bends: dict[tuple[int, bool, int], int] = {}
    for (source, target), is_reversed in zip(downward, is_upward, strict=True):
        chain = [source]
        for depth in range(layer_of_node[source] + 1, layer_of_node[target]):
            key = (source if is_reversed else target, is_reversed, depth)
            if key not in bends:
                bends[key] = len(layer_of_node) + len(bends)
                layers[depth].append(bends[key])
            chain.append(bends[key])
        chains.append(chain if source == target else [*chain, target])
    return chains, layers


def _vertical_neighbours(chains: Sequence[Sequence[int]]) -> tuple[dict[int, list[int]], ...]:
    """Return (above, below): the neighbours of each node in the layer above, and in the one below.

    Nodes are neighbours if they follow each other in one of the chains of nodes.
    """
    above: dict[int, list[int]] = defaultdict(list)
    below: dict[int, list[int]] = defaultdict(list)
    for chain in chains:
        for upper, lower in zip(chain, chain[1:], strict=False):
            if lower not in below[upper]:
                below[upper].append(lower)
                above[lower].append(upper)
    return above, below


def _order_layers(layers: list[list[int]], chains: Sequence[Sequence[int]]) -> None:
    """Change the order of the nodes within each layer, in place, to have fewer crossing edges.

    Nodes are ordered by the mean position of their neighbours: those above while the layers are
    passed from the top, those below while they are passed from the bottom, by turns. `chains` are
    the nodes through which each edge passes.
    """
    above, below = _vertical_neighbours(chains)
    best, fewest_crossings = [[*layer] for layer in layers], _count_crossings(layers, below)
    for sweep in range(_ORDERING_SWEEPS):
        neighbours = below if sweep % 2 else above
        for layer in reversed(layers) if sweep % 2 else layers:
            index_in_layer = {
                node: number for other_layer in layers for number, node in enumerate(other_layer)
            }
            middle = {
                node: sum(index_in_layer[neighbour] for neighbour in neighbours[node])
                / len(neighbours[node])
                if neighbours[node]
                else index_in_layer[node]
                for node in layer
            }
            layer[:] = [
                node
                for *_, node in sorted(
                    (middle[number], index_in_layer[number], number) for number in layer
                )
            ]
        if (crossings := _count_crossings(layers, below)) < fewest_crossings:
            best, fewest_crossings = [[*layer] for layer in layers], crossings
    layers[:] = best


def _count_crossings(layers: Sequence[Sequence[int]], below: dict[int, list[int]]) -> int:
    """Return the number of crossings of edges between the layers.

    `below` has the neighbours of each node in the next layer.
    """
    crossings = 0
    for layer, next_layer in zip(layers, layers[1:], strict=False):
        index_in_layer = {node: index for index, node in enumerate(next_layer)}
        # where the edges from one layer end, from left to right: a pair in the wrong order crosses
        ends = [
            end for node in layer for end in sorted(index_in_layer[lower] for lower in below[node])
        ]
        crossings += sum(
            left_end > right_end
            for index, left_end in enumerate(ends)
            for right_end in ends[index + 1 :]
        )
    return crossings


def _horizontal_positions(
    layers: Sequence[Sequence[int]], chains: Sequence[Sequence[int]], step_count: int
) -> dict[int, float]:
    """Return the x of the middle of each node: near the mean of its neighbours' x, with gaps.

    The order of the nodes in `layers` is kept. `chains` are the nodes through which each edge
    passes. Nodes from the number `step_count` on are bends, which are narrower than steps.
    """
    above, below = _vertical_neighbours(chains)
    x: dict[int, float] = {}
    max_width = 0.0  # of the widest layer; no layer extends beyond it
    for layer in layers:
        position = 0.0
        for node in layer:
            position += _half_width(node, step_count)
            x[node] = position
            position += _half_width(node, step_count) + BOX_GAP
        max_width = max(max_width, position - BOX_GAP)
    for sweep in range(_ORDERING_SWEEPS * 2):
        neighbours = (above, below)[sweep % 2]
        for layer in reversed(layers) if sweep % 2 else layers:
            preferred = [
                _mean_value([x[neighbour] for neighbour in neighbours[node]] or [x[node]])
                for node in layer
            ]
            positions = _spread_nodes(layer, preferred, step_count, max_width)
            x.update(zip(layer, positions, strict=True))
    return x


def _spread_nodes(
    layer: Sequence[int], preferred: Sequence[float], step_count: int, width: float
) -> list[float]:
    """Return the x of the middle of each node of a layer, in the layer's order.

    `preferred` has one x for each node, and need not ascend. Each result is as near to it as the
    gaps and the `width` of the drawing allow: nodes that would overlap are placed side by side
    around the mean of their preferred positions. Nodes from `step_count` on are narrow bends.
    """
    offsets = [0.0]  # of each node from the first one, if all are placed side by side
    for left_node, right_node in zip(layer, layer[1:], strict=False):
        offsets.append(
            offsets[-1]
            + _half_width(left_node, step_count)
            + BOX_GAP
            + _half_width(right_node, step_count)
        )
    blocks: list[_Block] = []
    for preferred_x, offset in zip(preferred, offsets, strict=True):
        blocks.append(_Block(preferred_x - offset, 1))
        # a block that would overlap the previous one is merged with it
        while len(blocks) > 1 and blocks[-2].start > blocks[-1].start:
            last, previous = blocks.pop(), blocks.pop()
            blocks.append(_Block(previous.total + last.total, previous.size + last.size))
    starts = [block.start for block in blocks for _ in range(block.size)]
    min_start = _half_width(layer[0], step_count)
    max_start = width - _half_width(layer[-1], step_count) - offsets[-1]
    return [
        min(max(start, min_start), max_start) + offset
        for start, offset in zip(starts, offsets, strict=True)
    ]


def _mean_value(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _half_width(node: int, step_count: int) -> float:
    """Return half the width of a node: of a bend from number `step_count` on, else of a step."""
    return BOX_WIDTH / 2 if node < step_count else BEND_WIDTH / 2


def _connection_points(
    edge: _Edge, chain: Sequence[int], positions: dict[int, tuple[float, float]], is_upward: bool
) -> tuple[tuple[float, float], ...]:
    """Return the points (x, y) of a connection, from the step `before` to the step `after`.

    `chain` has the nodes that it passes, from top to bottom; `is_upward`: it leads to the top one.
    """
    if edge.before == edge.after:  # a loop at the side of its own box
        x, y = positions[edge.before]
        right = x + BOX_WIDTH / 2
        return ((right, y - 8), (right + MARGIN, y - 8), (right + MARGIN, y + 8), (right, y + 8))
    places = [positions[node] for node in chain]
    places[0] = (places[0][0], places[0][1] + BOX_HEIGHT / 2)
    places[-1] = (places[-1][0], places[-1][1] - BOX_HEIGHT / 2)
    return tuple(reversed(places)) if is_upward else tuple(places)
