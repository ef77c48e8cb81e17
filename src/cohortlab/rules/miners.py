"""Algorithms that find frequent itemsets, by name."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from mlxtend.frequent_patterns import apriori, fpgrowth, hmine

from cohortlab.rules.eclat import mine_eclat
from cohortlab.rules.found import Found, from_sets, in_order
from cohortlab.rules.reading import Baskets
from cohortlab.rules.subsets import closed_or_maximal


def mine_with(
    miner: Callable,
    baskets: Baskets,
    min_count: int,
    *,
    max_len: int,
    cap: int,
    target: str = "all",
    apart: np.ndarray | None = None,
) -> Found:
    """Find frequent itemsets by one of mlxtend's miners.

    Parameters
    ----------
    miner : callable
        `apriori`, `fpgrowth`, `fpmax` or `hmine` of mlxtend.
    baskets, min_count, max_len, cap, target, apart
        As for `mine_eclat`.

    Returns
    -------
    Found
        As of `mine_eclat`.

    Notes
    -----
    mlxtend compares shares as floating-point numbers, and may lose or add an itemset that stands
    just at the threshold. It is asked for half a basket less, where no share can stand, and its
    supports are turned back into whole numbers. Closed and maximal itemsets are picked from all,
    of one item more, and `cap` stops nothing.
    """
    held = pd.DataFrame.sparse.from_spmatrix(baskets.matrix().astype(bool))
    if miner is hmine:
        held = held.sparse.to_dense()
    share = (min_count - 0.5) / baskets.n_baskets
    reach = max_len if target == "all" else max_len + 1
    frame = miner(held, min_support=share, max_len=reach)
    counts = [round(value * baskets.n_baskets) for value in frame["support"]]
    found = from_sets([[int(i) for i in itemset] for itemset in frame["itemsets"]], counts)
    found = _without_pairs(found, apart)
    if target == "all":
        return found
    return closed_or_maximal(found, len(baskets.items), target, max_len)


def _without_pairs(found: Found, apart: np.ndarray | None) -> Found:
    if apart is None or len(apart) == 0:
        return found
    pairs = {(min(pair), max(pair)) for pair in np.asarray(apart).tolist()}
    kept = [
        np.array([not _holds(row, pairs) for row in codes.tolist()], dtype=bool)
        for codes in found.codes
    ]
    return in_order(
        [codes[stays] for codes, stays in zip(found.codes, kept, strict=True)],
        [counts[stays] for counts, stays in zip(found.counts, kept, strict=True)],
    )


def _holds(codes: list[int], pairs: set[tuple[int, int]]) -> bool:
    return any((a, b) in pairs for i, a in enumerate(codes) for b in codes[i + 1 :])


def _mlxtend(miner: Callable) -> Callable:
    def mine(baskets: Baskets, min_count: int, **options: object) -> Found:
        return mine_with(miner, baskets, min_count, **options)

    return mine


#: Algorithm name -> miner. `eclat` is ours, the others are mlxtend's.
MINERS = {
    "eclat": mine_eclat,
    "fpgrowth": _mlxtend(fpgrowth),
    "apriori": _mlxtend(apriori),
    "hmine": _mlxtend(hmine),
}
