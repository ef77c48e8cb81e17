"""Baskets with planted patterns, made as IBM's Quest generator makes them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cohortlab.intervals import check_number

#: Shapes of well-known files, as parameters of `generate_baskets`. `retail`: a supermarket's
#: receipts, many items, a few of them everywhere; `t10i4d100k`: IBM's own example; `dense`: few
#: items, almost half of them in every basket, as in tables of properties.
SHAPES = {
    "retail": {
        "n_baskets": 88_000,
        "n_items": 16_000,
        "mean_length": 10.0,
        "n_patterns": 40_000,
        "mean_pattern_length": 3.0,
        "correlation": 0.25,
        "mean_corruption": 0.5,
        "popularity_exponent": 1.0,
    },
    "t10i4d100k": {
        "n_baskets": 100_000,
        "n_items": 870,
        "mean_length": 10.0,
        "n_patterns": 2_000,
        "mean_pattern_length": 4.0,
        "correlation": 0.25,
        "mean_corruption": 0.5,
        "popularity_exponent": 0.0,
    },
    "dense": {
        "n_baskets": 20_000,
        "n_items": 100,
        "mean_length": 90.0,
        "n_patterns": 100,
        "mean_pattern_length": 6.0,
        "correlation": 0.25,
        "mean_corruption": 0.3,
        "popularity_exponent": 0.8,
    },
}


@dataclass(frozen=True)
class PlantedBaskets:
    """Baskets, and the patterns that were planted in them.

    Attributes
    ----------
    baskets : DataFrame
        Columns `basket_id, item` (whole numbers from 0), one row per basket and item, in order.
    patterns : DataFrame
        Columns `pattern, item, weight, corruption`, one row per pattern and item: `weight` is the
        probability that a draw takes the pattern, `corruption` the probability with which a
        further item of it is dropped.
    """

    baskets: pd.DataFrame
    patterns: pd.DataFrame


def generate_baskets(
    *,
    n_baskets: int,
    n_items: int,
    mean_length: float,
    n_patterns: int,
    mean_pattern_length: float,
    correlation: float = 0.25,
    mean_corruption: float = 0.5,
    popularity_exponent: float = 0.0,
    rng: np.random.Generator,
) -> PlantedBaskets:
    """Fill baskets from a list of patterns, each perhaps with items missing.

    Parameters
    ----------
    n_baskets : int
        Number of baskets, at least 1; none is empty.
    n_items : int
        Number of items, at least 1.
    mean_length : float
        Mean of the number of items that a basket is meant to hold (Poisson, at least 1).
    n_patterns : int
        Number of patterns, at least 1.
    mean_pattern_length : float
        Mean number of items of a pattern (Poisson, at least 1).
    correlation : float
        Mean share of a pattern that comes from the pattern before it (exponential), 0 to 1.
    mean_corruption : float
        Mean over the patterns of the corruption (normal, variance 0.1), 0 to 1.
    popularity_exponent : float
        Zipf's exponent of the items that patterns are made of; 0 makes all alike.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    PlantedBaskets
        The baskets and the patterns.

    Raises
    ------
    ValueError
        If a parameter is impossible; the message names it.

    Notes
    -----
    A basket draws patterns, by exponentially distributed weights, until it has its length. From a
    drawn pattern items are dropped as long as a uniform number is below its corruption. A pattern
    that does not fit is put in all the same in half of the cases, and else left out; the basket
    then ends, where IBM's programme keeps the pattern for the next basket.

    References
    ----------
    Agrawal and Srikant (1994), Fast algorithms for mining association rules, section 2.4.3.

    Examples
    --------
    >>> made = generate_baskets(
    ...     n_baskets=3, n_items=9, mean_length=4, n_patterns=2, mean_pattern_length=2,
    ...     rng=np.random.default_rng(0),
    ... )
    >>> made.baskets["basket_id"].nunique()
    3
    """
    _check(locals())
    patterns = _patterns(
        n_items, n_patterns, mean_pattern_length, correlation, popularity_exponent, rng
    )
    sizes = np.array([len(pattern) for pattern in patterns])
    weights = rng.exponential(size=n_patterns)
    weights /= weights.sum()
    corruption = np.clip(rng.normal(mean_corruption, np.sqrt(0.1), n_patterns), 0.0, 1.0)
    lengths = np.maximum(rng.poisson(mean_length, n_baskets), 1)
    rows, items = _fill(lengths, patterns, sizes, weights, corruption, rng)
    entries = np.unique(rows * n_items + items)
    table = pd.DataFrame({"basket_id": entries // n_items, "item": entries % n_items})
    truth = {
        "pattern": np.repeat(np.arange(n_patterns), sizes),
        "item": np.concatenate(patterns),
        "weight": np.repeat(weights, sizes),
        "corruption": np.repeat(corruption, sizes),
    }
    return PlantedBaskets(table, pd.DataFrame(truth))


def _check(given: dict) -> None:
    for name in ["n_baskets", "n_items", "n_patterns"]:
        check_number(given[name], where=name, low=1, whole=True)
    for name in ["mean_length", "mean_pattern_length"]:
        check_number(given[name], where=name, low=1)
    for name in ["correlation", "mean_corruption"]:
        check_number(given[name], where=name, low=0, high=1)
    check_number(given["popularity_exponent"], where="popularity_exponent", low=0)


def _patterns(
    n_items: int,
    n_patterns: int,
    mean_length: float,
    correlation: float,
    exponent: float,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    popularity = np.cumsum((1.0 + rng.permutation(n_items)) ** -exponent)
    popularity /= popularity[-1]
    lengths = np.clip(rng.poisson(mean_length - 1, n_patterns) + 1, 1, n_items)
    shares = np.minimum(rng.exponential(correlation, n_patterns), 1.0)
    taken = np.rint(shares * lengths).astype(np.int64)
    # A popular item comes up again and again: after four tries an item any other will do.
    ends = np.cumsum(4 * lengths)
    draws = np.searchsorted(popularity, rng.random(ends[-1])).tolist()
    before: list[int] = []
    patterns = []
    for length, n_taken, end in zip(lengths.tolist(), taken.tolist(), ends.tolist(), strict=True):
        # Earlier items of a pattern are no more popular than later ones, so the first are taken.
        chosen = list(dict.fromkeys(before[:n_taken] + draws[end - 4 * length : end]))[:length]
        while len(chosen) < length:
            chosen = list(dict.fromkeys(chosen + rng.integers(n_items, size=length).tolist()))
        before = chosen[:length]
        patterns.append(np.sort(np.array(before, dtype=np.int64)))
    return patterns


def _fill(
    lengths: np.ndarray,
    patterns: list[np.ndarray],
    sizes: np.ndarray,
    weights: np.ndarray,
    corruption: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    flat, cumulative = np.concatenate(patterns), np.cumsum(weights)
    room, open_baskets = lengths.copy(), np.arange(len(lengths))
    fresh = np.ones(len(lengths), dtype=bool)
    rows, items = [], []
    while len(open_baskets):
        drawn = np.searchsorted(cumulative[:-1], rng.random(len(open_baskets)))
        kept = _kept(sizes[drawn], corruption[drawn], fresh[open_baskets], rng)
        fits = kept <= room[open_baskets]
        placed = fits | fresh[open_baskets] | (rng.random(len(drawn)) < 0.5)
        baskets, drawn, kept = open_baskets[placed], drawn[placed], kept[placed]
        entries, owners = _drawn_items(starts[drawn], sizes[drawn], kept, rng)
        rows.append(baskets[owners])
        items.append(flat[entries])
        room[baskets] -= kept
        fresh[baskets] = False
        room[open_baskets[~placed]] = 0
        open_baskets = open_baskets[room[open_baskets] > 0]
    return np.concatenate(rows), np.concatenate(items)


def _kept(
    sizes: np.ndarray, corruption: np.ndarray, fresh: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    # The number of dropped items is geometric; a basket's first pattern keeps one item at least.
    dropped = rng.geometric(np.maximum(1.0 - corruption, 1e-9)) - 1
    return np.maximum(sizes - dropped, fresh.astype(np.int64))


def _drawn_items(
    starts: np.ndarray, sizes: np.ndarray, kept: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    # All items of the drawn patterns in random order within each; the first `kept` of them stay.
    owners = np.repeat(np.arange(len(sizes)), sizes)
    within = np.arange(len(owners)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    order = np.lexsort((rng.random(len(owners)), owners))
    stays = within < np.repeat(kept, sizes)
    entries = (np.repeat(starts, sizes) + within)[order][stays]
    return entries, owners[stays]
