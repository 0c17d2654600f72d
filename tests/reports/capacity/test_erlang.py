"""Erlang's formulas against published tables."""

import math

import pytest

from appliance.reports.capacity import erlang


@pytest.mark.parametrize(
    ("channels", "refused", "load"),
    # Erlang B traffic tables (ITU-T E.500 series): the load that this number of channels carries.
    [
        (1, 0.01, 0.0101),
        (2, 0.01, 0.153),
        (5, 0.01, 1.36),
        (10, 0.01, 4.46),
        (20, 0.01, 12.0),
        (30, 0.01, 20.3),
        (50, 0.01, 37.9),
        (100, 0.01, 84.1),
        (10, 0.001, 3.09),
        (30, 0.001, 16.7),
        (10, 0.05, 6.22),
        (30, 0.02, 21.9),
    ],
)
def test_blocking_equals_the_published_tables(channels, refused, load) -> None:
    assert erlang.blocking_probability(channels, load) == pytest.approx(refused, rel=0.03)
    assert erlang.required_channels(load * 0.995, refused) == channels
    assert erlang.required_channels(load * 1.01, refused) == channels + 1


def test_the_waiting_probability_equals_its_defining_sum() -> None:
    for load in (0.5, 3.0, 10.0, 47.3):
        for operators in range(math.ceil(load) + 1, math.ceil(load) + 12):
            top = load**operators / math.factorial(operators) * operators / (operators - load)
            below = sum(load**n / math.factorial(n) for n in range(operators))
            assert erlang.waiting_probability(operators, load) == pytest.approx(top / (below + top))


def test_the_textbook_call_centre_has_the_published_figures() -> None:
    """100 calls of 180 s each in half an hour, a common textbook example: 10 erlangs.

    14 operators: 17.4 % wait, 88.8 % are answered within 20 s, on average in 7.8 s.
    """
    load = 100 * 180 / 1800
    assert erlang.operators_for_level(load, 180, 20, 0.80) == 14
    assert erlang.waiting_probability(14, load) == pytest.approx(0.174, abs=0.0005)
    assert erlang.expected_service_level(14, load, 180, 20) == pytest.approx(0.888, abs=0.0005)
    assert erlang.answer_speed(14, load, 180) == pytest.approx(7.8, abs=0.05)
    assert erlang.operators_for_speed(load, 180, 20) == 13


def test_no_load_needs_no_operators() -> None:
    assert erlang.operators_for_speed(0, 0, 20) == 0
    assert erlang.operators_for_level(0, 0, 20, 0.8) == 0
    assert erlang.required_channels(0, 0.01) == 0
    assert erlang.answer_speed(3, 3.0, 100) == math.inf
    assert erlang.expected_service_level(2, 3.0, 100, 20) == 0


def test_a_load_far_above_the_hotlines_is_computed() -> None:
    """A new site's first long call, scaled to the calls per day that the terms name."""
    assert 700 < erlang.operators_for_speed(700, 900, 20) < 800
    assert 700 < erlang.operators_for_level(700, 900, 20, 0.8) < 800
    assert 600 < erlang.required_channels(700, 0.01) < 800
