"""Tastes: how a person's features make an item more or less likely."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_keys

#: Kind of taste -> its keys beside `kind`, `person` and `item`.
TASTE_KEYS = {"budget": ("tolerance",), "range": ("ranges", "outside")}

Affinity = Callable[[np.ndarray, np.ndarray], np.ndarray]


def read_tastes(
    tastes: Sequence[Mapping], people: pd.DataFrame, items: pd.DataFrame
) -> Affinity | None:
    """Turn the settings of tastes into one function of a person and an item.

    Parameters
    ----------
    tastes : sequence of mapping
        Each with ``kind``, ``person`` and ``item`` (columns of both tables). ``budget``: an item
        dearer than the budget by a share s has exp(-s / ``tolerance``) of the chance of one that
        is not. ``range``: ``ranges`` gives for values of the item's column the lowest and highest
        value of the person's; outside it the chance is ``outside`` (0 to 1) times that inside.
    people, items : DataFrame
        The populations.

    Returns
    -------
    callable or None
        ``affinity(person_positions, item_positions)`` -> logarithm of the relative chance; None
        without tastes.

    Raises
    ------
    ValueError
        If a kind, a column or a value is not as it must be.
    """
    parts = [_read_taste(t, people, items, where=f"tastes.{k}") for k, t in enumerate(tastes)]
    if not parts:
        return None
    return lambda person, item: sum(part(person, item) for part in parts)


def _read_taste(taste: object, people: pd.DataFrame, items: pd.DataFrame, where: str) -> Affinity:
    kind = taste.get("kind") if isinstance(taste, Mapping) else taste
    if kind not in TASTE_KEYS:
        raise ValueError(f"{where}.kind: expected one of {list(TASTE_KEYS)}, got {kind!r}")
    check_keys(taste, ["kind", "person", "item", *TASTE_KEYS[kind]], where=where)
    for side, table in [("person", people), ("item", items)]:
        if taste[side] not in table.columns:
            raise ValueError(
                f"{where}.{side}: expected one of {list(table.columns)}, got {taste[side]!r}"
            )
    read = _read_budget if kind == "budget" else _read_range
    return read(taste, people[taste["person"]], items[taste["item"]], where)


def _read_budget(taste: Mapping, budgets: pd.Series, prices: pd.Series, where: str) -> Affinity:
    check_number(taste["tolerance"], where=f"{where}.tolerance", low=1e-6)
    budget, price = budgets.to_numpy(dtype=float), prices.to_numpy(dtype=float)
    for side, values in [("person", budget), ("item", price)]:
        if not np.isfinite(values).all() or values.min() <= 0:
            raise ValueError(f"{where}.{side}: expected numbers above 0 in {taste[side]!r}")

    def affinity(person: np.ndarray, item: np.ndarray) -> np.ndarray:
        return -np.maximum(price[item] / budget[person] - 1, 0) / taste["tolerance"]

    return affinity


def _read_range(taste: Mapping, values: pd.Series, categories: pd.Series, where: str) -> Affinity:
    check_number(taste["outside"], where=f"{where}.outside", low=1e-12, high=1)
    value = values.to_numpy(dtype=float)
    low, high = np.full(len(categories), -np.inf), np.full(len(categories), np.inf)
    names = categories.to_numpy()
    for name, ends in taste["ranges"].items():
        if name not in set(names):
            raise ValueError(f"{where}.ranges.{name}: no item has this {taste['item']}")
        check_number(ends[1], where=f"{where}.ranges.{name}", low=ends[0])
        low[names == name], high[names == name] = ends
    penalty = np.log(taste["outside"])

    def affinity(person: np.ndarray, item: np.ndarray) -> np.ndarray:
        inside = (value[person] >= low[item]) & (value[person] <= high[item])
        return np.where(inside, 0.0, penalty)

    return affinity
