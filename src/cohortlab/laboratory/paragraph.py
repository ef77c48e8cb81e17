"""The answer of the laboratory in words, computed from the trials."""

from collections.abc import Iterable
from itertools import groupby

import numpy as np
import pandas as pd

from cohortlab.laboratory.finders import FINDERS
from cohortlab.laboratory.phases import advice, leaderboard

_OTHER = {"features": "edges", "edges": "features"}
#: What tells one case from another; a case is the mean over the numbers of people.
CASE = ("overlap", "strength", "density")


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
        In Markdown. The answer first: the best over all, features and edges apart, and where
        nothing helps. Then a sentence each: what is best in every case of overlap, strength and
        number of purchases, how often the relation is found, and what was found where there is
        nothing.
    """
    board = leaderboard(trials)
    best = advice(trials, score="person_ari", by=CASE, useful=useful)
    relation = advice(trials, score="relation_error_ratio", by=CASE, useful=1 - useful)
    return [
        " ".join([*_over_all(board), _hopeless(best, useful)]),
        *_by_case(best),
        *_relation(relation, 1 - useful),
        *_nulls(trials, alpha),
    ]


def case_table(best: pd.DataFrame) -> pd.DataFrame:
    """Lay advice out as a table of words.

    Parameters
    ----------
    best : DataFrame
        From `advice`, by `CASE`.

    Returns
    -------
    DataFrame
        By overlap and density down and strength across: the best algorithm, its mean, and in
        brackets those that are as good; or `none` and the mean where it is of no use.

    Examples
    --------
    >>> case = {"overlap": 0.1, "strength": 0.5, "density": 4}
    >>> best = {"best": "ward", "mean": 0.914, "as_good": "kmeans", "is_useful": True}
    >>> case_table(pd.DataFrame([case | best])).iloc[0, 0]
    'ward 0.91 (kmeans)'
    """
    others = best["as_good"].map(lambda names: f" ({names})" if names else "")
    words = best["best"] + " " + best["mean"].map("{:.2f}".format) + others
    nobody = best["mean"].map("none ({:.2f})".format)
    laid = best.assign(words=words.where(best["is_useful"].astype(bool), nobody))
    return laid.pivot(index=["overlap", "density"], columns="strength", values="words")


def _over_all(board: pd.DataFrame) -> list[str]:
    # An interval is NaN with a single seed, and then only the first is named.
    reaching = board["person_ari_high"] >= board["person_ari_low"].iloc[0]
    alike = board[reaching | (board.index == 0)]
    names = [f"**{name}**" for name in alike["algorithm"]]
    best = (
        f"{names[0]} finds"
        if len(names) == 1
        else f"{', '.join(names[:-1])} and {names[-1]}, which the intervals do not tell apart, find"
    )
    known = not np.isnan(board["person_ari_low"].iloc[0])
    what = "mean adjusted Rand index" + (" and 95 % interval over seeds" if known else "")
    means = "; ".join(f"{row['person_ari']:.2f}{_interval(row)}" for _, row in alike.iterrows())
    sentences = [f"Over all conditions {best} people best ({what}: {means})."]
    tops = board.groupby("looks_at", sort=True).head(1).set_index("looks_at")
    if len(tops) == 2:
        edges, features = tops.loc["edges"], tops.loc["features"]
        sentences.append(
            f"Of those that look at features {features['algorithm']} has the highest mean "
            f"({features['person_ari']:.2f}), of those that look at edges {edges['algorithm']} "
            f"({edges['person_ari']:.2f})."
        )
    return sentences


def _interval(row: pd.Series) -> str:
    low, high = row["person_ari_low"], row["person_ari_high"]
    return "" if np.isnan(low) else f", {low:.2f} to {high:.2f}"


def _by_case(best: pd.DataFrame) -> list[str]:
    kinds = best["best"].map(lambda name: FINDERS[name][0]).where(best["is_useful"], "")
    sentences = []
    for overlap, rows in best.assign(kind=kinds).groupby("overlap", sort=True):
        # Densities in a row with the same kind of winner at every strength make one sentence.
        parts = [part for _, part in rows.groupby("density", sort=True)]
        for _, alike in groupby(parts, key=lambda part: part["kind"].tolist()):
            block = pd.concat(alike)
            clauses = _clauses(block)
            densities = f"{_range(block['density'])} purchases a person"
            if clauses:
                sentences.append(f"With overlap {overlap:g} and {densities}: {'; '.join(clauses)}.")
    return sentences


def _clauses(block: pd.DataFrame) -> list[str]:
    # Strengths in a row with the same kind of winner make one clause.
    kinds = block.groupby("strength", sort=True)["kind"].first()
    runs = groupby(kinds.index, key=kinds.get)
    return [_clause(block[block["strength"].isin([*run])], kind) for kind, run in runs if kind]


def _range(values: pd.Series) -> str:
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _clause(rows: pd.DataFrame, kind: str) -> str:
    names = list(dict.fromkeys(rows["best"]))
    # As good in every case of the clause, not in some.
    others = set.intersection(
        *(_good(*row) for row in zip(rows["best"], rows["as_good"], strict=True))
    )
    others -= set(names)
    strength = f"strength {_range(rows['strength'])}"
    also = ", ".join(sorted(name for name in others if FINDERS[name][0] == kind))
    also = f", or as good {also}" if also else ""
    across = ", ".join(sorted(name for name in others if FINDERS[name][0] != kind))
    across = f" (as good by {_OTHER[kind]}: {across})" if across else ""
    index = f", index {_range(rows['mean'].round(2))}"
    return f"at {strength} use {kind}, by **{' or '.join(names)}**{also}{across}{index}"


def _good(best: str, as_good: str) -> set[str]:
    return {best, *as_good.split(", ")} - {""}


def _hopeless(best: pd.DataFrame, useful: float) -> str:
    hopeless = best[~best["is_useful"]]
    if hopeless.empty:
        return f"In every case some algorithm has a mean index of at least {useful:g}."
    return (
        f"**None helps** (mean index below {useful:g}) in {len(hopeless)} of {len(best)} cases: "
        f"{_where(hopeless)}."
    )


def _where(cases: pd.DataFrame) -> str:
    """Name cases, by number of purchases; numbers in a row with the same cases together."""
    texts = {density: _cases(rows) for density, rows in cases.groupby("density", sort=True)}
    runs = groupby(texts, key=texts.get)
    return "; ".join(f"with {_listed(run)} purchases a person, {text}" for text, run in runs)


def _cases(rows: pd.DataFrame) -> str:
    strengths = {
        overlap: f"strength {_listed(part['strength'])}"
        for overlap, part in rows.groupby("overlap", sort=True)
    }
    runs = groupby(strengths, key=strengths.get)
    return ", or ".join(f"overlap {_listed(run)} and {strength}" for strength, run in runs)


def _listed(values: Iterable[float]) -> str:
    return " or ".join(f"{value:g}" for value in values)


def _relation(best: pd.DataFrame, useful: float) -> list[str]:
    if best.empty:
        return []
    found, nobody = best[best["is_useful"]], best[~best["is_useful"]]
    share = "all" if nobody.empty else f"{len(found)}"
    what = (
        "The relation between both sides is found with at most "
        f"{useful:g} of the error of knowing no relation in {share} of {len(best)} cases"
    )
    by = f", most often by **{' and '.join(found['best'].mode())}**" if len(found) else ""
    rest = f" In the other {len(nobody)} none finds it: {_where(nobody)}." if len(nobody) else ""
    return [f"{what}{by}.{rest}"]


def _nulls(trials: pd.DataFrame, alpha: float) -> list[str]:
    null = trials[trials["is_null"].astype(bool)]
    if null.empty:
        return []
    share = float((null["n_significant"] > 0).mean())
    return [
        f"Where there is nothing to find, {share:.1%} of {len(null)} tables hold a relation after "
        f"correction at the level of {alpha:.0%}."
    ]
