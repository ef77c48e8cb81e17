"""Compile the loops that every study uses, once: `python -m cohortlab.precompile`.

Studies run side by side, so without this each would compile the same loops at the same time.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd


def compile_mixtures() -> None:
    """Fit a mixture to a few rows, which compiles a pass of EM."""
    from cohortlab.mixture import GaussianMixture

    values = np.random.default_rng(0).normal(size=(20, 2))
    GaussianMixture(2, n_init=1, random_state=0).fit(values)


def compile_rules() -> None:
    """Mine, judge and shuffle a few baskets, which compiles the search for itemsets."""
    from cohortlab.rules import (
        association_rules,
        confirm_rules,
        frequent_itemsets,
        shuffle_baskets,
    )

    baskets = pd.DataFrame({"basket_id": [0, 0, 1, 1], "item": ["a", "b", "a", "b"]})
    rules = association_rules(frequent_itemsets(baskets, 1), min_threshold=0.5)
    confirm_rules(rules, baskets.assign(person_id=0))
    shuffle_baskets(baskets, rng=np.random.default_rng(0))


def compile_relations() -> None:
    """Test a few relations by shuffled clusters, which compiles their sums."""
    from scipy import sparse

    from cohortlab.bipartite import relations

    labels = np.array([0, 0, 1, 1])
    incidence = sparse.csr_array(np.eye(4, dtype=int))
    shuffled = {"permutation": "labels", "n_permutations": 1, "rng": np.random.default_rng(0)}
    relations(incidence, labels, labels, **shuffled)


def compile_palettes() -> None:
    """Reduce a few pixels to two colours, dithered, which compiles k-means on colours."""
    from cohortlab.palette import quantise

    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    quantise(picture, 2, rng=np.random.default_rng(0), dither=True)


def compile_anomalies() -> None:
    """Train two detectors on a few flows, which compiles the search for neighbours."""
    from cohortlab.anomalies import train

    values = np.random.default_rng(0).normal(size=(60, 2))
    train("dbscan", values, options={"min_samples": 3})
    values[:30] += 20
    train("hdbscan", values, options={"min_cluster_size": 5, "min_samples": 3})


#: What studies use, by what compiles it.
PARTS = (
    compile_mixtures,
    compile_rules,
    compile_relations,
    compile_palettes,
    compile_anomalies,
)


def compile_all(parts: tuple[Callable[[], None], ...] = PARTS) -> None:
    """Compile the parts side by side, a process each.

    Parameters
    ----------
    parts : tuple of callable
        Functions that call what is compiled at its first call.
    """
    with ProcessPoolExecutor(len(parts)) as pool:
        for done in [pool.submit(part) for part in parts]:
            done.result()


if __name__ == "__main__":
    compile_all()
