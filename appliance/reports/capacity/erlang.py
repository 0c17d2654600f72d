"""Erlang's B and C formulas (A. K. Erlang, 1917), by the usual recursion.

`load` is in erlangs: calls in a stretch × their mean length / the stretch. Kept here: the one
library that has them (pyworkforce) brings a solver and pandas along for these few lines.
"""

from math import exp

MOST = 500  # operators or channels that are tried


def blocking(channels: int, load: float) -> float:
    """Erlang B: the chance that a call finds every channel taken, and is refused."""
    inverse = 1.0
    for number in range(1, channels + 1):
        inverse = 1 + inverse * number / load if load else float("inf")
    return 1 / inverse


def waiting(operators: int, load: float) -> float:
    """Erlang C: the chance that a call finds every operator taken, and waits."""
    if load <= 0:
        return 0.0
    if operators <= load:
        return 1.0
    refused = blocking(operators, load)
    return refused / (1 - load / operators * (1 - refused))


def answer_speed(operators: int, load: float, length: float) -> float:
    """Mean seconds until an answer; infinite when the queue only grows. `length`: mean, seconds."""
    if load <= 0:
        return 0.0
    if operators <= load:
        return float("inf")
    return waiting(operators, load) * length / (operators - load)


def service_level(operators: int, load: float, length: float, within: float) -> float:
    """The share (0 to 1) answered within so many seconds."""
    if load <= 0:
        return 1.0
    if operators <= load:
        return 0.0
    return 1 - waiting(operators, load) * exp(-(operators - load) * within / length)


def operators_for_speed(load: float, length: float, seconds: float) -> int:
    """The fewest operators with whom the mean answer takes at most so many seconds."""
    return next(n for n in range(MOST) if answer_speed(n, load, length) <= seconds)


def operators_for_level(load: float, length: float, within: float, share: float) -> int:
    """The fewest operators with whom at least `share` (0 to 1) is answered within seconds."""
    return next(n for n in range(MOST) if service_level(n, load, length, within) >= share)


def channels_for(load: float, refused: float) -> int:
    """The fewest channels with which at most the share `refused` finds none free."""
    if load <= 0:
        return 0
    return next(n for n in range(1, MOST) if blocking(n, load) <= refused)
