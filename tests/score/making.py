"""Customers of three kinds and what was fitted to them, for tests of scoring."""

import numpy as np
import pandas as pd

from cohortlab import score
from cohortlab.embedding import Recipe, scaled_leaves

RECIPE = Recipe(
    "money", ("recency", "pieces"), 15, 5, "hamming", 15, 50, 3, 5, 500, ("money",), "standard"
)
NAMES = {0: "small", 4: "middle", 7: "large"}


def customers(n=50, seed=0, first_id=1):
    """Make three kinds of customers, apart in every column."""
    rng = np.random.default_rng(seed)
    kind = np.repeat([0, 1, 2], n)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(first_id, first_id + 3 * n),
            "money": np.array([10.0, 200.0, 4000.0])[kind] * rng.uniform(0.8, 1.25, 3 * n),
            "recency": np.array([300, 150, 10])[kind] + rng.integers(-9, 10, 3 * n),
            "pieces": np.array([5.0, 80.0, 900.0])[kind] * rng.uniform(0.8, 1.25, 3 * n),
        }
    )
    return table, np.array(list(NAMES))[kind]


def fitted(table, labels, names=NAMES, **options):
    scaling, forest, _ = scaled_leaves(table, RECIPE, 1)
    fit = {"study": "shop", "scaling": scaling, "forest": forest}
    return score.fit_bundle(table, labels, names, **fit, **options)
