import numpy as np
import pytest
from scipy import stats

from cohortlab.synthetic.distributions import (
    check_counts,
    draw_counts,
    draw_gaps_ms,
    draw_zipf,
    popularity,
)

LAW = {"distribution": "poisson", "minimum": 2, "mean": 5.0, "maximum": 1000}


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [("poisson", stats.poisson(3, loc=2)), ("geometric", stats.geom(0.25, loc=1))],
)
def test_counts_follow_the_shifted_law(distribution, expected, rng):
    counts = draw_counts(20_000, LAW | {"distribution": distribution}, rng=rng)
    for value in range(2, 9):
        n_equal = int((counts == value).sum())
        assert stats.binomtest(n_equal, len(counts), expected.pmf(value)).pvalue > 1e-5
    assert counts.min() == 2


def test_counts_stop_at_the_maximum(rng):
    law = LAW | {"distribution": "geometric", "maximum": 6}
    assert set(draw_counts(2000, law, rng=rng)) == {2, 3, 4, 5, 6}


def test_a_constant_does_not_vary(rng):
    law = {"distribution": "constant", "minimum": 3, "mean": 3, "maximum": 3}
    assert draw_counts(4, law, rng=rng).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distribution": "normal"}, "types.x.views.distribution.*'normal'"),
        ({"minimum": 0}, "types.x.views.minimum"),
        ({"minimum": 2.5}, "types.x.views.minimum.*whole"),
        ({"mean": 1}, "types.x.views.mean.*from 2 to 1000"),
        ({"mean": "5"}, "types.x.views.mean.*'5'"),
        ({"maximum": 1}, "types.x.views.maximum"),
        ({"maximum": True}, "types.x.views.maximum"),
        ({"distribution": "constant"}, "types.x.views.mean: a constant"),
        ({"median": 3}, "types.x.views.median: unknown key"),
    ],
)
def test_impossible_counts_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        check_counts(LAW | change, where="types.x.views")


def test_gaps_are_a_lognormal_cut_at_the_limit(rng):
    median, spread, limit = 400.0, 1.2, 1800.0
    gaps = draw_gaps_ms(np.full(20_000, median), np.full(20_000, spread), limit_sec=limit, rng=rng)
    law = stats.lognorm(spread, scale=median)
    assert gaps.min() >= 1
    assert gaps.max() < limit * 1000
    for part in (0.1, 0.5, 0.9):
        below = int((gaps / 1000 <= law.ppf(part * law.cdf(limit))).sum())
        assert stats.binomtest(below, len(gaps), part).pvalue > 1e-4


def test_heavy_tail_has_the_exponent(rng):
    drawn = draw_zipf(30_000, exponent=2.0, maximum=50, rng=rng)
    law = 1.0 / np.arange(1, 51) ** 2
    law /= law.sum()
    assert (drawn.min(), drawn.max() <= 50) == (1, True)
    for value in (1, 2, 5):
        assert stats.binomtest(int((drawn == value).sum()), 30_000, law[value - 1]).pvalue > 1e-4


def test_popularity_falls_with_rank_and_is_even_without_exponent():
    assert (np.diff(popularity(9, exponent=1.0)) < 0).all()
    assert popularity(4, exponent=0).tolist() == [0.25] * 4
