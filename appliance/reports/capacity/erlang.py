"""Erlang's B and C formulas (A. K. Erlang, 1917), by the usual recursion.

The load in erlangs is the number of calls in an interval × their mean duration / the length of the
interval. The formulas are written here because the only library that has them (pyworkforce) depends
on a solver and pandas.
"""

import itertools
from collections.abc import Iterator
from math import exp


def blocking_probability(channels: int, load_erlangs: float) -> float:
    """Return the probability (Erlang B) that a call finds all channels busy and is refused."""
    return next(itertools.islice(_blocking_probabilities(load_erlangs), channels, None))


def _blocking_probabilities(load_erlangs: float) -> Iterator[float]:
    """Yield the blocking probability of 0, 1, 2, … channels, without end."""
    inverse = 1.0
    for number in itertools.count(1):
        yield 1 / inverse
        inverse = 1 + inverse * number / load_erlangs if load_erlangs else float("inf")


def waiting_probability(operators: int, load_erlangs: float) -> float:
    """Return the probability (Erlang C) that a call finds all operators busy and waits."""
    if load_erlangs <= 0:
        return 0.0
    if operators <= load_erlangs:
        return 1.0
    blocked_share = blocking_probability(operators, load_erlangs)
    return blocked_share / (1 - load_erlangs / operators * (1 - blocked_share))


def answer_speed(operators: int, load_erlangs: float, mean_handling_seconds: float) -> float:
    """Return the mean seconds until a call is answered; infinite if the queue only grows.

    `mean_handling_seconds` is the mean handling time of a call.
    """
    if load_erlangs <= 0:
        return 0.0
    if operators <= load_erlangs:
        return float("inf")
    return (
        waiting_probability(operators, load_erlangs)
        * mean_handling_seconds
        / (operators - load_erlangs)
    )


def expected_service_level(
    operators: int, load_erlangs: float, mean_handling_seconds: float, threshold_seconds: float
) -> float:
    """Return the share (0 to 1) of calls answered within `threshold_seconds` (Erlang C).

    `mean_handling_seconds` is the mean handling time of a call.
    """
    if load_erlangs <= 0:
        return 1.0
    if operators <= load_erlangs:
        return 0.0
    return 1 - waiting_probability(operators, load_erlangs) * exp(
        -(operators - load_erlangs) * threshold_seconds / mean_handling_seconds
    )


def operators_for_speed(
    load_erlangs: float, mean_handling_seconds: float, target_seconds: float
) -> int:
    """Return the smallest number of operators that answer within `target_seconds` on average.

    `mean_handling_seconds` is the mean handling time of a call.
    """
    return next(
        n
        for n in itertools.count(int(load_erlangs))  # with fewer operators the queue only grows
        if answer_speed(n, load_erlangs, mean_handling_seconds) <= target_seconds
    )


def operators_for_level(
    load_erlangs: float, mean_handling_seconds: float, threshold_seconds: float, share: float
) -> int:
    """Return the smallest number of operators that reach a service level.

    That is, at least `share` (0 to 1) of the calls are answered within `threshold_seconds`.
    `mean_handling_seconds` is the mean handling time of a call.
    """
    return next(
        n
        for n in itertools.count(int(load_erlangs))  # with fewer operators the queue only grows
        if expected_service_level(n, load_erlangs, mean_handling_seconds, threshold_seconds)
        >= share
    )


def required_channels(load_erlangs: float, max_refused_share: float) -> int:
    """Return the smallest number of channels that refuse at most `max_refused_share` of calls.

    The share is above 0 and at most 1.
    """
    if load_erlangs <= 0:
        return 0
    probabilities = enumerate(_blocking_probabilities(load_erlangs))
    return next(n for n, probability in probabilities if n and probability <= max_refused_share)
