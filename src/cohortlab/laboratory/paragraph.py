"""The answer of the laboratory in words, computed from the trials."""

import numpy as np
import pandas as pd

from cohortlab.laboratory.finders import FINDERS
from cohortlab.laboratory.phases import advice, leaderboard

_OTHER = {"features": "edges", "edges": "features"}


def paragraph(trials: pd.DataFrame, *, useful: float = 0.5, alpha: float = 0.05) -> list[str]:
    """Say which algorithm to use when.

    Parameters
    ----------
    trials : DataFrame
        From `run_grid`.
    useful : float
        A mean adjusted Rand index below this helps nobody, and neither does a relation whose error
        is more than 1 - this of the error of no relation.
    alpha : float
        Level of the tests behind `n_significant`.

    Returns
    -------
    list of str
        Sentences in Markdown: the best over all, features and edges apart, what is best in every
        case of overlap and strength, where nothing helps, what the number of purchases decides,
        how often the relation is found, and what was found where there is nothing.
    """
    board = leaderboard(trials)
    best = advice(trials, score="person_ari", useful=useful)
    relation = advice(trials, score="relation_error_ratio", useful=1 - useful)
    return [
        *_over_all(board),
        *_by_case(best),
        _hopeless(best, useful),
        *_by_density(trials, best, useful),
        *_relation(relation, 1 - useful),
        *_nulls(trials, alpha),
    ]


def _over_all(board: pd.DataFrame) -> list[str]:
    first = board.iloc[0]
    sentences = [
        f"Over all conditions **{first['algorithm']}** finds people best (mean adjusted Rand index "
        f"{first['person_ari']:.2f}{_interval(first)})."
    ]
    tops = board.groupby("looks_at", sort=True).head(1).set_index("looks_at")
    if len(tops) == 2:
        edges, features = tops.loc["edges"], tops.loc["features"]
        sentences.append(
            f"Of those that look at features that is {features['algorithm']} "
            f"({features['person_ari']:.2f}), of those that look at edges {edges['algorithm']} "
            f"({edges['person_ari']:.2f})."
        )
    return sentences


def _interval(row: pd.Series) -> str:
    low, high = row["person_ari_low"], row["person_ari_high"]
    return "" if np.isnan(low) else f", 95 % interval over seeds {low:.2f} to {high:.2f}"


def _by_case(best: pd.DataFrame) -> list[str]:
    sentences = []
    for overlap, rows in best[best["is_useful"]].groupby("overlap", sort=True):
        # Strengths in a row with the same kind of winner make one clause.
        kinds = [FINDERS[name][0] for name in rows["best"]]
        change = np.cumsum([k > 0 and kinds[k] != kinds[k - 1] for k in range(len(kinds))])
        clauses = [_clause(part) for _, part in rows.groupby(change)]
        sentences.append(f"With overlap {overlap:g}: {'; '.join(clauses)}.")
    return sentences


def _clause(rows: pd.DataFrame) -> str:
    names = list(dict.fromkeys(rows["best"]))
    # As good at every strength of the clause, not at some.
    others = set.intersection(
        *(_good(*row) for row in zip(rows["best"], rows["as_good"], strict=True))
    )
    others -= set(names)
    low, high = rows["strength"].min(), rows["strength"].max()
    strength = f"strength {low:g}" if low == high else f"strengths {low:g} to {high:g}"
    kind = FINDERS[names[0]][0]
    also = ", ".join(sorted(name for name in others if FINDERS[name][0] == kind))
    also = f", or as good {also}" if also else ""
    across = ", ".join(sorted(name for name in others if FINDERS[name][0] != kind))
    across = f" (as good by {_OTHER[kind]}: {across})" if across else ""
    return f"at {strength} use {kind}, by **{' or '.join(names)}**{also}{across}"


def _good(best: str, as_good: str) -> set[str]:
    return {best, *as_good.split(", ")} - {""}


def _hopeless(best: pd.DataFrame, useful: float) -> str:
    hopeless = best[~best["is_useful"]]
    if hopeless.empty:
        return f"In every case some algorithm has a mean index of at least {useful:g}."
    return f"**None helps** (mean index below {useful:g}) at {_up_to(hopeless)}."


def _up_to(hopeless: pd.DataFrame) -> str:
    cases = [
        f"overlap {overlap:g} with strength up to {rows['strength'].max():g}"
        for overlap, rows in hopeless.groupby("overlap", sort=True)
    ]
    return "; ".join(cases)


def _by_density(trials: pd.DataFrame, best: pd.DataFrame, useful: float) -> list[str]:
    """Say what changes with the number of purchases, over which the cases above are means."""
    dense = advice(trials, score="person_ari", by=("density",), useful=useful)
    if len(dense) < 2:
        return []
    parts = [
        f"{row.density:g}: {FINDERS[row.best][0]}, by **{row.best}** ({row.mean:.2f}"
        f"{f'; as good {row.as_good}' if row.as_good else ''})"
        for row in dense.itertuples()
    ]
    sentences = [
        f"All this is over densities, which decide too; by purchases a person, {'; '.join(parts)}."
    ]
    sparse = advice(
        trials[trials["is_null"].astype(bool) | (trials["density"] == dense["density"].min())],
        score="person_ari",
        useful=useful,
    )
    lost = sparse[~sparse["is_useful"]].merge(
        best.loc[best["is_useful"], ["overlap", "strength"]], on=["overlap", "strength"]
    )
    if len(lost):
        few = dense["density"].min()
        sentences.append(f"With {few:g} purchases a person none helps at {_cases(lost)} either.")
    return sentences


def _cases(rows: pd.DataFrame) -> str:
    return "; ".join(
        f"overlap {overlap:g} with strength {', '.join(f'{s:g}' for s in part['strength'])}"
        for overlap, part in rows.groupby("overlap", sort=True)
    )


def _relation(best: pd.DataFrame, useful: float) -> list[str]:
    if best.empty:
        return []
    found = best[best["is_useful"]]
    share = "all" if len(found) == len(best) else f"{len(found)}"
    what = (
        "The relation between both sides is found with at most "
        f"{useful:g} of the error of knowing no relation in {share} of {len(best)} cases"
    )
    by = f", most often by **{found['best'].mode()[0]}**" if len(found) else ""
    nobody = best[~best["is_useful"]]
    return [f"{what}{by}{f'; by nobody at {_up_to(nobody)}' if len(nobody) else ''}."]


def _nulls(trials: pd.DataFrame, alpha: float) -> list[str]:
    null = trials[trials["is_null"].astype(bool)]
    if null.empty:
        return []
    share = float((null["n_significant"] > 0).mean())
    return [
        f"Where there is nothing to find, {share:.1%} of {len(null)} tables hold a relation after "
        f"correction at the level of {alpha:.0%}."
    ]
