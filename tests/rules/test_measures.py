import re
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from conftest import REPOSITORY
from scipy import stats
from sklearn.metrics import mutual_info_score

from cohortlab.rules import FURTHER_MEASURES, MEASURES, adjust, measures
from cohortlab.rules.hypergeometric import quantile, tail
from cohortlab.rules.measures import FURTHER, SHARED, RuleCounts, lift_interval, odds_ratio_interval


def tables(seed, n_tables=150):
    """Counts of all kinds, of few and of many baskets, the impossible ones left out."""
    rng = np.random.default_rng(seed)
    n = rng.choice([5, 30, 500, 9835], n_tables)
    left, right = ((n * rng.random(n_tables) ** 3).astype(int).clip(1) for _ in range(2))
    lowest, highest = np.maximum(0, left + right - n), np.minimum(left, right)
    both = lowest + ((highest - lowest) * rng.random(n_tables) ** 2).astype(int)
    return both, left, right, n


def each(seed):
    for both, left, right, n in np.column_stack(tables(seed)):
        counts = RuleCounts(*(np.array([v]) for v in (both, left, right)), int(n))
        yield counts, np.array([[both, left - both], [right - both, n - left - right + both]])


def exact_tail(k, n, left, right):
    terms = (comb(left, x) * comb(n - left, right - x) for x in range(k, min(left, right) + 1))
    return float(Fraction(sum(terms), comb(n, right)))


@pytest.mark.parametrize(
    "table",
    [
        (19, 9835, 46, 40),
        (3, 60, 10, 20),
        (200, 9835, 400, 2513),
        (2, 4, 2, 2),
        (40, 88162, 100, 5000),
    ],
)
def test_the_tail_is_exact_to_twelve_digits(table):
    assert tail(*table) == pytest.approx(exact_tail(*table), rel=1e-12)


def test_fisher_agrees_with_scipy():
    both, left, right, n = tables(1)
    expected = stats.hypergeom.sf(both - 1, n, left, right)
    kept = expected > 1e-280
    np.testing.assert_allclose(tail(both, n, left, right)[kept], expected[kept], rtol=1e-12)
    counts, cells = next(each(2))
    found = FURTHER["fisher_p"](counts)[0]
    assert found == pytest.approx(stats.fisher_exact(cells, "greater").pvalue, rel=1e-12)


def test_the_quantile_agrees_with_scipy():
    _, left, right, n = tables(3, 60)
    for level in (0.9, 0.99):
        expected = stats.hypergeom.ppf(level, n, left, right)
        np.testing.assert_array_equal(quantile(level, n, left, right), expected)


def test_chi_squared_agrees_with_scipy():
    compared = 0
    for counts, cells in each(4):
        if (cells.sum(axis=0) > 0).all() and (cells.sum(axis=1) > 0).all():
            expected = stats.chi2_contingency(cells, correction=False).statistic
            assert FURTHER["chi_squared"](counts)[0] == pytest.approx(
                expected, rel=1e-12, abs=1e-12
            )
            compared += 1
    assert compared > 100


def test_odds_ratio_and_its_interval_agree_with_scipy():
    for counts, cells in each(5):
        if (cells == 0).any():
            continue
        peer = stats.contingency.odds_ratio(cells, kind="sample")
        low, high = odds_ratio_interval(counts)
        interval = peer.confidence_interval(0.95)
        found = [FURTHER["odds_ratio"](counts)[0], low[0], high[0]]
        np.testing.assert_allclose(found, [peer.statistic, interval.low, interval.high], rtol=1e-12)


def test_mutual_information_agrees_with_scikit_learn():
    for counts, cells in each(6):
        expected = mutual_info_score(None, None, contingency=cells) / np.log(2)
        found = FURTHER["mutual_information"](counts)[0]
        assert found == pytest.approx(max(expected, 0), rel=1e-9, abs=1e-12)


def test_small_measures_by_hand():
    counts = RuleCounts(np.array([6]), np.array([10]), np.array([20]), 100)
    assert FURTHER["imbalance"](counts)[0] == pytest.approx(10 / 24)
    assert FURTHER["coverage"](counts)[0] == 0.1
    # Chance gives five or more with 0.0255 and six or more with 0.0039: the 0.99 quantile is 5.
    assert FURTHER["hyper_lift"](counts)[0] == pytest.approx(6 / 5)
    expected = stats.hypergeom.cdf(5, 100, 10, 20)
    assert FURTHER["hyper_confidence"](counts)[0] == pytest.approx(expected, rel=1e-12)


def test_the_lift_interval_covers_at_its_level():
    rng = np.random.default_rng(0)
    cells = np.array([0.03, 0.07, 0.12, 0.78])
    true = cells[0] / ((cells[0] + cells[1]) * (cells[0] + cells[2]))
    drawn = rng.multinomial(2000, cells, 4000)
    counts = RuleCounts(drawn[:, 0], drawn[:, 0] + drawn[:, 1], drawn[:, 0] + drawn[:, 2], 2000)
    low, high = lift_interval(counts)
    covered = ((low <= true) & (true <= high)).mean()
    # Four standard errors of 0.0034, and some for the normal approximation.
    assert 0.935 < covered < 0.965
    assert (SHARED["lift"](counts) < low).sum() == 0


def test_edges_give_finite_intervals_or_none():
    edge = RuleCounts(np.array([0, 5, 10]), np.array([5, 5, 10]), np.array([4, 5, 10]), 10)
    low, high = lift_interval(edge)
    assert low[0] == 0
    assert np.isfinite(high).all()
    assert low[2] == high[2] == pytest.approx(1)
    assert np.isfinite(odds_ratio_interval(edge)).all()
    assert FURTHER["chi_squared"](edge)[2] == 0


@pytest.mark.parametrize("name", [*MEASURES, *FURTHER_MEASURES])
def test_every_measure_is_defined_with_a_source_and_told_in_the_docs(name):
    text, references = measures.__doc__.split("References\n---")
    entries = re.findall(r"^(\S.*)\n((?:    .+\n)+)", text, flags=re.MULTILINE)
    (told,) = [body for names, body in entries if name in names.split(", ")]
    authors, year = re.findall(r"([A-Z][\w-]+)[^.]*?\((\d{4})\)", " ".join(told.split()))[-1]
    assert re.search(rf"{authors}\b[^.]*\({year}\)", " ".join(references.split()))
    assert f"`{name}`" in (REPOSITORY / "docs" / "rules.md").read_text()


@pytest.mark.parametrize("seed", range(3))
def test_corrections_agree_with_their_definitions(seed):
    p = np.random.default_rng(seed).random(30) ** 3
    np.testing.assert_allclose(adjust(p), stats.false_discovery_control(p), rtol=1e-12)
    order = np.argsort(p)
    steps = [min(1, max((30 - i) * p[order[i]] for i in range(j + 1))) for j in range(30)]
    np.testing.assert_allclose(adjust(p, "holm")[order], steps, rtol=1e-12)
    holes = np.insert(p, 4, np.nan)
    np.testing.assert_array_equal(np.delete(adjust(holes), 4), adjust(p))
    assert np.isnan(adjust(holes)[4])
    with pytest.raises(ValueError, match="unknown correction 'luck'"):
        adjust(p, "luck")
