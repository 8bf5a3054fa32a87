"""Spans of assets in whole seconds: their sums, differences and parts are those of sets."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kpis.facts.ranges import clipped, columns, grouped, merged, minus, widened, within

# Some are empty or end before they begin.
spans = st.lists(st.tuples(st.integers(0, 40), st.integers(-2, 12)).map(lambda pair: (pair[0], sum(pair))))


def instants(items) -> set[int]:
    """The seconds that the spans cover: the definition against which they are held."""
    return {second for lo, hi in items for second in range(lo, hi)}


def assert_these(items, expected: set[int]) -> None:
    """Spans of exactly these seconds, in order, none empty and none that touch."""
    assert instants(items) == expected
    assert all(lo < hi for lo, hi in items)
    assert all(left[1] < right[0] for left, right in pairwise(items))


@given(spans, spans)
def test_sums_and_differences_are_those_of_sets(one, other):
    assert_these(merged(one), instants(one))
    assert_these(merged([*one, *other]), instants(one) | instants(other))
    assert_these(minus(merged(one), merged(other)), instants(one) - instants(other))


@given(spans, st.integers(0, 50), st.integers(0, 50))
def test_a_part_is_what_lies_between_the_instants(items, since, until):
    assert_these(within(merged(items), since, until), instants(items) & set(range(since, until)))


def test_an_asset_keeps_what_lies_in_its_service_life_and_vanishes_without_any():
    ranges = {1: [(0, 5), (7, 9)], 2: [(0, 5)], 3: [(6, 8)]}
    assert clipped(ranges, {1: (2, 8), 2: (5, 9), 3: (6, 8)}) == {1: [(2, 5), (7, 8)], 3: [(6, 8)]}


def test_spans_are_added_to_those_of_their_asset():
    more = [(1, 5, 7), (1, 20, 22), (3, 1, 2)]
    assert grouped(more) == {1: [(5, 7), (20, 22)], 3: [(1, 2)]}
    assert widened({1: [(0, 5), (9, 10)], 2: [(0, 1)], 3: [(4, 5)]}, more) == {
        1: [(0, 7), (9, 10), (20, 22)], 2: [(0, 1)], 3: [(1, 2), (4, 5)],
    }  # fmt: skip


def test_postgresql_gets_one_array_of_each_column():
    assert columns("want", {1: [(0, 5), (7, 9)], 2: [(3, 4)]}) == {
        "want_asset": "{1,1,2}", "want_lo": "{0,7,3}", "want_hi": "{5,9,4}",
    }  # fmt: skip
