"""Co-purchases: pairs of items that are bought together, planted into baskets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_keys

PAIR_KEYS = ("antecedent", "consequent", "probability")


@dataclass(frozen=True)
class Pairs:
    """Planted co-purchases, as positions in a list of items.

    Attributes
    ----------
    antecedent, consequent : ndarray of int, shape (n_pairs,)
        Positions of the two items.
    probability : ndarray, shape (n_pairs,)
        Share of the baskets with the antecedent that hold the consequent too.
    """

    antecedent: np.ndarray
    consequent: np.ndarray
    probability: np.ndarray


@dataclass(frozen=True)
class PlantedPairs:
    """What planting co-purchases does to the rows of baskets.

    Attributes
    ----------
    keep : ndarray of bool, shape (n_rows,)
        Rows that stay; a consequent that came by chance beside its antecedent goes.
    baskets, items : ndarray of int, shape (n_added,)
        Rows to add.
    """

    keep: np.ndarray
    baskets: np.ndarray
    items: np.ndarray


def resolve_pairs(pairs: Sequence[Mapping], sizes: Mapping[str, int]) -> Pairs:
    """Turn pairs named ``group/number`` into positions in the list of all items.

    Parameters
    ----------
    pairs : sequence of mapping
        Each with ``antecedent``, ``consequent`` (``group/number``, number from 1, the most popular
        of its group) and ``probability`` (0 to 1).
    sizes : mapping of str to int
        Number of items of each group; the list holds group after group in this order.

    Returns
    -------
    Pairs
        Positions and probabilities.

    Raises
    ------
    ValueError
        If a name or a probability is impossible, or the pairs would disturb one another: a
        consequent may have one antecedent only and be none itself.
    """
    if not isinstance(pairs, Sequence) or isinstance(pairs, str):
        raise ValueError(f"pairs: expected a list of pairs, perhaps empty, got {pairs!r}")
    for position, pair in enumerate(pairs):
        check_keys(pair, PAIR_KEYS, where=f"pairs[{position}]")
        where = f"pairs[{position}].probability"
        check_number(pair["probability"], where=where, low=0, high=1)
    sides = [
        np.array(
            [_locate(pair[side], sizes, f"pairs[{i}].{side}") for i, pair in enumerate(pairs)],
            dtype=np.int64,
        )
        for side in ("antecedent", "consequent")
    ]
    _check_no_chains(pairs, *sides)
    return Pairs(*sides, np.array([pair["probability"] for pair in pairs], dtype=float))


def _locate(name: object, sizes: Mapping[str, int], where: str) -> int:
    group, _, number = str(name).rpartition("/")
    if group not in sizes or not number.isdecimal() or not 1 <= int(number) <= sizes[group]:
        largest = ", ".join(f"{known}/1 to {known}/{size}" for known, size in sizes.items())
        raise ValueError(f"{where}: expected group/number, one of {largest}; got {name!r}")
    groups = list(sizes)
    return sum(sizes[known] for known in groups[: groups.index(group)]) + int(number) - 1


def _check_no_chains(
    pairs: Sequence[Mapping], antecedent: np.ndarray, consequent: np.ndarray
) -> None:
    for position, pair in enumerate(pairs):
        is_repeated = (consequent == consequent[position]).sum() > 1
        if is_repeated or consequent[position] in antecedent:
            raise ValueError(
                f"pairs[{position}].consequent: {pair['consequent']!r} may be the consequent of "
                "one pair only and the antecedent of none; give each pair a consequent of its own"
            )


def plant_pairs(
    baskets: np.ndarray, items: np.ndarray, pairs: Pairs, *, rng: np.random.Generator
) -> PlantedPairs:
    """Plant co-purchases: a basket with the antecedent holds the consequent with probability p.

    Parameters
    ----------
    baskets : ndarray of int, shape (n_rows,)
        Basket of each row, at least 0.
    items : ndarray of int, shape (n_rows,)
        Item of each row.
    pairs : Pairs
        What to plant.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    PlantedPairs
        Rows to keep and rows to add.

    Notes
    -----
    Consequents that came by chance beside their antecedent are dropped before the draw, so the
    share of baskets with the antecedent that hold the consequent is p, not ``1 - (1-p)(1-q)``.
    """
    keep = np.ones(len(items), dtype=bool)
    n_baskets = int(baskets.max(initial=-1)) + 1
    added = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))]
    for antecedent, consequent, probability in zip(
        pairs.antecedent, pairs.consequent, pairs.probability, strict=True
    ):
        has_antecedent = np.zeros(n_baskets, dtype=bool)
        has_antecedent[baskets[items == antecedent]] = True
        keep &= ~((items == consequent) & has_antecedent[baskets])
        chosen = np.flatnonzero(has_antecedent)
        chosen = chosen[rng.random(len(chosen)) < probability]
        added.append((chosen, np.full(len(chosen), consequent, dtype=np.int64)))
    return PlantedPairs(keep, *(np.concatenate(part) for part in zip(*added, strict=True)))
