"""Baskets and oracles that do not use the code under test."""

import lzma
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

#: Populations without any rule that a test of honesty looks at, and in how many of them a rule may
#: be accepted: where 5 % are, more than 21 of 200 have a probability below 0.001.
N_NULLS = 200
MOST_BY_CHANCE = int(stats.binom.ppf(0.999, N_NULLS, 0.05))
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def real(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    return path


def groceries():
    with lzma.open(real("groceries/baskets.csv.xz"), "rt") as lines:
        return long_table([line.strip().split(",") for line in lines])


def long_table(baskets, people=None):
    baskets = [list(basket) for basket in baskets]
    sizes = [len(basket) for basket in baskets]
    ids = np.array([f"t{i}" for i in range(len(baskets))], dtype=object)
    columns = {"basket_id": np.repeat(ids, sizes)}
    if people is not None:
        columns["person_id"] = np.repeat(np.array(list(people), dtype=object), sizes)
    columns["item"] = np.array([item for basket in baskets for item in basket], dtype=object)
    return pd.DataFrame(columns, dtype=object)


def one_hot(baskets, items="abcdefg"):
    return pd.DataFrame([{item: item in basket for item in items} for basket in baskets])


def random_baskets(seed, n=60, items="abcdefg"):
    rng = np.random.default_rng(seed)
    picked = rng.random((n, len(items))) < rng.uniform(0.1, 0.7, len(items))
    picked[:, 0] |= ~picked.any(axis=1)
    return [{items[j] for j in np.flatnonzero(row)} for row in picked]


def brute_force(baskets, min_count):
    """Every itemset in at least min_count baskets, by looking into each of them."""
    items = sorted(set().union(*baskets))
    sets = (frozenset(c) for k in range(1, len(items) + 1) for c in combinations(items, k))
    counts = {s: sum(s <= set(b) for b in baskets) for s in sets}
    return {s: n for s, n in counts.items() if n >= min_count}


def mixed_sizes(rng, n_baskets=1000, n_items=40, planted=()):
    """Baskets whose sizes differ widely, items drawn by popularity, some pairs planted."""
    sizes = np.minimum(1 + np.exp(rng.normal(1.2, 0.8, n_baskets)).astype(int), 30)
    popularity = 1 / np.arange(1, n_items + 1) ** 0.8
    keys = rng.exponential(size=(n_baskets, n_items)) / popularity
    order = np.array([f"i{j:02d}" for j in range(n_items)])[np.argsort(keys, axis=1)].tolist()
    baskets = [set(row[:size]) for row, size in zip(order, sizes, strict=True)]
    for left, right, probability in planted:
        for basket in baskets:
            if left in basket and rng.random() < probability:
                basket.add(right)
    return baskets
