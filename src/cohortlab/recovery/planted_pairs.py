"""Planted co-purchases looked up among the rules."""

from typing import Any

import numpy as np
import pandas as pd


def pair_recovery(pairs: pd.DataFrame, rules: pd.DataFrame) -> tuple[dict[str, Any], pd.DataFrame]:
    """Look planted co-purchases up among the rules.

    Parameters
    ----------
    pairs : DataFrame
        Columns `antecedent, consequent`, and `probability` where it is known.
    rules : DataFrame
        From `cohortlab.rules.association_rules` (sets, not their texts).

    Returns
    -------
    figures : dict
        `n_pairs, n_found, recall`, `n_rules`, and `n_rules_of_pairs`: rules whose items hold a
        planted pair across their two sides.
    table : DataFrame
        The pairs with `found`, `rank` (place among the rules, from 1), `support`, `confidence` and
        `lift` of the rule antecedent -> consequent; NaN where it was not found.
    """
    ranks = {
        (next(iter(left)), next(iter(right))): place
        for place, (left, right) in enumerate(
            zip(rules["antecedents"], rules["consequents"], strict=True)
        )
        if len(left) == len(right) == 1
    }
    planted = list(
        zip(pairs["antecedent"].astype(str), pairs["consequent"].astype(str), strict=True)
    )
    places = pd.array([ranks.get(pair) for pair in planted], dtype="Int64")
    table = pairs.reset_index(drop=True).assign(found=~places.isna(), rank=places + 1)
    for measure in ["support", "confidence", "lift"]:
        values = rules[measure].to_numpy(dtype=float)
        table[measure] = [np.nan if pd.isna(p) else values[p] for p in places]
    sides = list(zip(rules["antecedents"], rules["consequents"], strict=True))
    n_of_pairs = sum(any(a in left and b in right for a, b in planted) for left, right in sides)
    figures = {
        "n_pairs": len(planted),
        "n_found": int(table["found"].sum()),
        "recall": float(table["found"].mean()) if len(planted) else None,
        "n_rules": len(rules),
        "n_rules_of_pairs": n_of_pairs,
    }
    return figures, table
