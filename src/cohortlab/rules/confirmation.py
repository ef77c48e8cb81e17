"""Rules found on some baskets and judged on others."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd

from cohortlab.intervals import require_within
from cohortlab.rules.association import association_rules
from cohortlab.rules.checks import require, sorted_items
from cohortlab.rules.correction import adjust
from cohortlab.rules.counting import StratifiedCounter, size_strata
from cohortlab.rules.evidence import DesignEffect, people_of, upper_tail
from cohortlab.rules.itemsets import frequent_itemsets
from cohortlab.rules.measures import RuleCounts, fisher_p, lift_interval
from cohortlab.rules.reading import read_baskets

#: Antecedents and consequents of every rule.
Sides = list[tuple[frozenset, frozenset]]
#: What is counted and tested of every rule.
JUDGED = ["both", "left", "right", "people", "expected", "effect", "lift_effect"]
JUDGED += ["p", "best", "p_productive"]


@dataclass(frozen=True)
class Confirmation:
    """What became of the rules of the first part in the second.

    Attributes
    ----------
    table : DataFrame
        From `confirm_rules`.
    n_discovery, n_confirmation : int
        Baskets in each part.
    n_rules, n_confirmed : int
        Rules found in the first part, and confirmed in the second.
    """

    table: pd.DataFrame
    n_discovery: int
    n_confirmation: int
    n_rules: int
    n_confirmed: int


def split_baskets(
    baskets: pd.DataFrame, *, share: float = 0.5, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split baskets at random into two parts; all baskets of a person go the same way.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`, and `person_id` where people are known.
    share : float
        Share of the people (of the baskets, where there are no people) in the first part, between
        0 and 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    discovery, confirmation : DataFrame
        Rows of the table, each part with its own baskets. Which part a basket is in does not
        depend on the order of the rows.
    """
    require(baskets, ["basket_id", "item"], "baskets")
    require_within(share, "(0, 1)", name="share")
    unit = baskets["person_id" if "person_id" in baskets.columns else "basket_id"]
    if unit.isna().any():
        raise ValueError(f"baskets.{unit.name} is missing in {int(unit.isna().sum())} rows")
    codes, units = pd.factorize(unit, sort=True)
    first = np.zeros(len(units), dtype=bool)
    first[rng.permutation(len(units))[: round(share * len(units))]] = True
    chosen = first[codes] if len(codes) else np.zeros(0, dtype=bool)
    parts = (baskets[chosen], baskets[~chosen])
    return tuple(part.reset_index(drop=True) for part in parts)


def confirm_rules(
    rules: pd.DataFrame,
    baskets: pd.DataFrame,
    *,
    alpha: float = 0.05,
    correction: str = "benjamini-hochberg",
    min_improvement: float = 0.0,
) -> pd.DataFrame:
    """Judge rules on baskets that had no part in finding them.

    Parameters
    ----------
    rules : DataFrame
        From `association_rules` on other baskets.
    baskets : DataFrame
        Columns `basket_id, item`, and `person_id` where people are known.
    alpha : float
        Level for the corrected p-values, in (0, 1).
    correction : {'benjamini-hochberg', 'holm', 'none'}
        How p-values are corrected for the number of rules.
    min_improvement : float
        Confidence that a rule must have beyond every more general one.

    Returns
    -------
    DataFrame
        `antecedents, consequents`; `discovery support`, `discovery confidence`, `discovery lift`
        from the rules; then from these baskets `count, support, confidence, lift, lift_low,
        lift_high`, `expected` (baskets with both that chance gives among baskets of the same
        size), `people` (with both, where known), `design_effect` (of p), `lift_design_effect` (of
        the lift's interval), `fisher_p` (which knows neither sizes nor people), `p`, `q`
        (corrected), `confirmed`, `improvement`, `p_productive`, `productive`, `redundant`. In the
        order of the rules.

    Raises
    ------
    ValueError
        If `alpha` is no level.

    Notes
    -----
    *p* is one-sided, by `upper_tail` over the strata of `size_strata`; where people come more than
    once, by their design effect; the interval of the lift is widened by its own. *productive*:
    within the baskets that hold all but one of the antecedents, the one left out still raises the
    share of the consequent, whichever it is; the largest of these p-values counts, corrected like p
    (Webb 2007, section 3.2). *redundant*: a more general rule explains it: it is not productive, or
    improves on one by no more than `min_improvement`.

    References
    ----------
    Webb (2007), Discovering significant patterns; holdout evaluation is its section 4.2. Bayardo,
    Agrawal and Gunopulos (2000) for improvement.
    """
    require_within(alpha, "(0, 1)", name="alpha")
    require(rules, ["antecedents", "consequents", "support", "confidence", "lift"], "rules")
    read = read_baskets(baskets)
    used = {
        item for sides in (rules["antecedents"], rules["consequents"]) for s in sides for item in s
    }
    counter = StratifiedCounter(read, size_strata(read), sorted_items(used))
    people = people_of(baskets, read.ids)
    effect = DesignEffect(counter, people) if people is not None and people.n else None
    sides = list(zip(rules["antecedents"], rules["consequents"], strict=True))
    judged = _judged(sides, counter, effect)
    told = {side: rules[side].to_numpy() for side in ("antecedents", "consequents")}
    told |= {f"discovery {n}": rules[n].to_numpy() for n in ("support", "confidence", "lift")}
    return _decided(told, judged, read.n_baskets, alpha, correction, min_improvement)


def _judged(
    sides: Sides, counter: StratifiedCounter, effect: DesignEffect | None
) -> dict[str, np.ndarray]:
    """Count and test every rule: what `_decided` takes, by the names of `JUDGED`."""
    count = cache(lambda itemset: counter.counts(counter.mask(itemset)))

    def counts(itemsets: Iterable[frozenset]) -> np.ndarray:
        rows = [count(itemset) for itemset in itemsets]
        return np.array(rows, dtype=np.int64).reshape(len(rows), len(counter.sizes))

    both, left, right = (
        counts(itemsets)
        for itemsets in ([a | b for a, b in sides], [a for a, _ in sides], [b for _, b in sides])
    )
    people, factor, lift_factor = _of_people(sides, counter, effect)
    expected, p = upper_tail(both, left, right, counter.sizes, factor)
    best, p_productive = right.sum(axis=1) / max(counter.sizes.sum(), 1), p.copy()
    # Every shorter rule: its place among the rules, and how many of its antecedents it lacks.
    shorter = [(place, part) for place, (a, _) in enumerate(sides) for part in _parts(a)]
    places = np.array([place for place, _ in shorter], dtype=np.int64)
    lacks = np.array([len(sides[place][0]) - len(part) for place, part in shorter], dtype=np.int64)
    n = counts(part for _, part in shorter)
    with_right = counts(part | sides[place][1] for place, part in shorter)
    np.maximum.at(best, places, with_right.sum(axis=1) / np.maximum(n.sum(axis=1), 1))
    one = lacks == 1
    at = places[one]
    _, p_one = upper_tail(both[at], left[at], with_right[one], n[one], factor[at])
    np.maximum.at(p_productive, at, p_one)
    totals = (part.sum(axis=1) for part in (both, left, right))
    columns = (*totals, people, expected, factor, lift_factor, p, best, p_productive)
    return dict(zip(JUDGED, columns, strict=True))


def _of_people(
    sides: Sides, counter: StratifiedCounter, effect: DesignEffect | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """People behind every rule, -1 where they are not known, and its two design effects."""
    people, factors = np.full(len(sides), -1), np.ones((2, len(sides)))
    if effect is None:
        return people, *factors
    mask = cache(counter.mask)
    for place, side in enumerate(sides):
        masks = mask(side[0]), mask(side[1])
        people[place] = effect.n_people(*masks)
        if effect.people.repeat:
            factors[:, place] = effect(*masks), effect.of_lift(*masks)
    return people, *factors


def _parts(items: frozenset) -> list[frozenset]:
    """All subsets but the empty one and the whole."""
    return [frozenset(part) for size in range(1, len(items)) for part in combinations(items, size)]


def _decided(
    told: dict[str, np.ndarray],
    judged: dict[str, np.ndarray],
    n_baskets: int,
    alpha: float,
    correction: str,
    min_improvement: float,
) -> pd.DataFrame:
    both, left, people = (judged[name] for name in ("both", "left", "people"))
    effect, p, p_productive = (judged[name] for name in ("lift_effect", "p", "p_productive"))
    counts = RuleCounts(both, left, judged["right"], n_baskets)
    with np.errstate(divide="ignore", invalid="ignore"):
        confidence, lift = both / left, both * float(n_baskets) / counts.expected
    lift_low, lift_high = lift_interval(counts, design_effect=effect)
    q, improvement = adjust(p, correction), confidence - judged["best"]
    productive = adjust(p_productive, correction) <= alpha
    table = {"count": both, "support": both / max(n_baskets, 1), "confidence": confidence}
    table |= {"lift": lift, "lift_low": lift_low, "lift_high": lift_high}
    table |= {"expected": judged["expected"]}
    table |= {"people": pd.Series(people, dtype="Int64").mask(people < 0)}
    table |= {"design_effect": judged["effect"], "lift_design_effect": effect}
    table |= {"fisher_p": fisher_p(counts), "p": p, "q": q, "confirmed": q <= alpha}
    table |= {"improvement": improvement, "p_productive": p_productive, "productive": productive}
    table |= {"redundant": ~productive | ~(improvement > min_improvement)}
    frame = pd.DataFrame(told | table)
    frame.attrs = {"n_baskets": n_baskets}
    return frame


def discover_and_confirm(
    baskets: pd.DataFrame,
    min_support: float,
    *,
    metric: str = "confidence",
    min_threshold: float = 0.3,
    max_len: int | None = None,
    max_consequent: int | None = 1,
    share: float = 0.5,
    alpha: float = 0.05,
    correction: str = "benjamini-hochberg",
    min_improvement: float = 0.0,
    apart: pd.DataFrame | None = None,
    rng: np.random.Generator,
) -> Confirmation:
    """Find rules on one random part of the baskets and judge them on the other.

    Parameters
    ----------
    baskets, share, rng
        As for `split_baskets`.
    min_support, max_len, apart
        As for `frequent_itemsets`; a share is one of the baskets of the first part.
    metric, min_threshold, max_consequent
        As for `association_rules`.
    alpha, correction, min_improvement
        As for `confirm_rules`.

    Returns
    -------
    Confirmation
        All rules of the first part with what the second says of them.
    """
    first, second = split_baskets(baskets, share=share, rng=rng)
    itemsets = frequent_itemsets(first, min_support, max_len=max_len, apart=apart)
    rules = association_rules(itemsets, metric, min_threshold, max_consequent=max_consequent)
    table = confirm_rules(
        rules, second, alpha=alpha, correction=correction, min_improvement=min_improvement
    )
    sizes = [int(part["basket_id"].nunique()) for part in (first, second)]
    return Confirmation(table, *sizes, len(rules), int(table["confirmed"].sum()))


def one_per_itemset(rules: pd.DataFrame) -> pd.DataFrame:
    """Keep one rule of those that say the same items go together: the most confident.

    Parameters
    ----------
    rules : DataFrame
        Rules with `antecedents, consequents, confidence`.

    Returns
    -------
    DataFrame
        Some of the rows, in the same order; of equals the first.
    """
    sides = zip(rules["antecedents"], rules["consequents"], strict=True)
    best: dict[frozenset, int] = {}
    confidence = rules["confidence"].to_numpy(dtype=float)
    for place, (left, right) in enumerate(sides):
        kept = best.setdefault(left | right, place)
        if confidence[place] > confidence[kept]:
            best[left | right] = place
    return rules.iloc[sorted(best.values())].reset_index(drop=True)


def confirmed_rules(table: pd.DataFrame) -> pd.DataFrame:
    """List the rules to believe: confirmed, explained by no shorter one, and told once.

    Parameters
    ----------
    table : DataFrame
        From `confirm_rules`.

    Returns
    -------
    DataFrame
        The same columns; of rules about the same items the most confident, in falling order of
        the lower end of their lift's interval.
    """
    believed = one_per_itemset(table[table["confirmed"] & ~table["redundant"]])
    return believed.sort_values("lift_low", ascending=False, kind="stable", ignore_index=True)
