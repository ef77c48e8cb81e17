"""A synthetic log of baskets, with tables of its items and people, and its truth beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_blocks, check_rates, check_shares, read_day
from cohortlab.synthetic.co_purchases import Pairs, plant_pairs, resolve_pairs
from cohortlab.synthetic.distributions import check_counts, draw_counts, popularity
from cohortlab.synthetic.invoice_baskets import draw_distinct
from cohortlab.synthetic.lines import write_table
from cohortlab.synthetic.relations import (
    draw_columns,
    relation_matrix,
    relation_table,
    stacked_cumulative,
)

TYPE_KEYS = ("share", "baskets", "items", "household")
GROUP_KEYS = ("share", "categories", "items", "price_median")
FAULTS = ("missing_basket", "missing_item", "missing_person", "unreadable_time", "repeated")
DAY_SEC = 86_400
PRICE_SPREAD = 0.5
MEAN_FURTHER_PIECES = 0.3


@dataclass(frozen=True)
class _Shop:
    """What can be bought: positions of items in groups of falling popularity."""

    group_names: tuple[str, ...]
    group: np.ndarray
    category: np.ndarray
    number: np.ndarray
    price: np.ndarray
    stacked: np.ndarray

    @property
    def ids(self) -> np.ndarray:
        return np.array([f"P{position:05d}" for position in range(len(self.group))], dtype=object)

    def table(self) -> pd.DataFrame:
        department = np.array(self.group_names, dtype=object)[self.group]
        category = department + " " + self.category.astype(str).astype(object)
        name = department + " item " + self.number.astype(str).astype(object)
        columns = {"item": self.ids, "name": name, "department": department, "category": category}
        return pd.DataFrame(columns)


def generate_basket_log(
    folder: Path,
    truth_folder: Path,
    *,
    rng: np.random.Generator,
    n_people: int,
    days: int,
    start: str,
    types: Mapping,
    groups: Mapping,
    relation_strength: float,
    preferences: Mapping[str, str] | None,
    pairs: Sequence[Mapping],
    popularity_exponent: float,
    faults: Mapping[str, float],
) -> dict:
    """Write a synthetic log of baskets, its items, its people, and the truth.

    Parameters
    ----------
    folder, truth_folder : Path
        Where ``baskets.csv``, ``items.csv`` and ``people.csv``, and where the truth go; made where
        they do not exist.
    rng : numpy.random.Generator
        Source of randomness. The same state and settings give the same bytes.
    n_people : int
        Number of people, each with a basket at least.
    days : int
        Length of the log, days, from 1.
    start : str
        First day.
    types : mapping
        Types of people by name: ``share``, ``baskets`` (of one person) and ``items`` (of one
        basket), counts as `check_counts` takes them, and ``household``: the share of each kind of
        household in the type.
    groups : mapping
        Departments by name: ``share``, ``categories``, ``items`` and ``price_median``.
    relation_strength : float
        0 (no type prefers any department) to 1 (each buys of its own only).
    preferences : mapping of str to str, or None
        The preferred department of every type; None deals them out at random.
    pairs : sequence of mapping
        Co-purchased items: ``antecedent``, ``consequent`` (``group/number``, 1 the most popular)
        and ``probability``.
    popularity_exponent : float
        Zipf's exponent of the items in a department.
    faults : mapping of str to float
        Faulty rows of each kind of `FAULTS`, added as a share of the true rows.

    Returns
    -------
    dict
        Rows written: ``rows`` (faulty ones among them), ``baskets``, ``people``, and ``faults`` by
        name.

    Raises
    ------
    ValueError
        If a setting is impossible; the message names it. Nothing is written then.
    """
    _check(n_people, days, types, groups, popularity_exponent, faults)
    first_day = read_day(start)
    resolved = resolve_pairs(pairs, {name: group["items"] for name, group in groups.items()})
    shares = [group["share"] for group in groups.values()]
    relation = relation_matrix(
        list(types), list(groups), strength=relation_strength,
        column_shares=shares, preferences=preferences, rng=rng,
    )  # fmt: skip
    shop = _make_shop(groups, popularity_exponent, rng)
    kind = draw_columns(
        _row([t["share"] for t in types.values()]), np.zeros(n_people, int), rng=rng
    )
    people = _people(kind, types, rng)
    rows = _rows(kind, types, shop, relation, resolved, first_day, days, rng)
    bad = _faulty_rows(rows, faults, rng)
    folder, truth_folder = Path(folder), Path(truth_folder)
    for made in (folder, truth_folder):
        made.mkdir(parents=True, exist_ok=True)
    written = pd.concat([rows.astype(str), *bad.values()]).sort_index(kind="stable")
    write_table(folder / "baskets.csv", written)
    write_table(folder / "items.csv", shop.table())
    write_table(folder / "people.csv", people)
    _write_truth(truth_folder, shop, relation, resolved, people, list(types), kind)
    planted = {name: len(added) for name, added in bad.items()}
    (truth_folder / "faults.json").write_text(json.dumps(planted, indent=2) + "\n")
    totals = {"rows": len(written), "baskets": rows["basket_id"].nunique(), "people": n_people}
    return totals | {"faults": planted}


def _check(
    n_people: int,
    days: int,
    types: Mapping,
    groups: Mapping,
    popularity_exponent: float,
    faults: Mapping,
) -> None:
    check_number(n_people, where="n_people", low=1, whole=True)
    check_number(days, where="days", low=1, whole=True)
    check_number(popularity_exponent, where="popularity_exponent", low=0, high=10)
    check_blocks(groups, GROUP_KEYS, where="groups")
    for name, group in groups.items():
        where = f"groups.{name}"
        check_number(group["categories"], where=f"{where}.categories", low=1, whole=True)
        low = group["categories"]
        check_number(group["items"], where=f"{where}.items", low=low, whole=True)
        check_number(group["price_median"], where=f"{where}.price_median", low=0.1, high=10_000)
    fewest = min(group["items"] for group in groups.values())
    check_blocks(types, TYPE_KEYS, where="types")
    for name, profile in types.items():
        check_counts(profile["baskets"], where=f"types.{name}.baskets")
        check_counts(profile["items"], where=f"types.{name}.items")
        # Without this a basket could need more items of its group than there are.
        most = profile["items"]["maximum"]
        check_number(most, where=f"types.{name}.items.maximum", low=1, high=fewest, whole=True)
        check_shares(profile["household"], where=f"types.{name}.household")
    check_rates(faults, FAULTS)


def _row(shares: Sequence[float]) -> np.ndarray:
    return np.array([shares], dtype=float)


def _make_shop(groups: Mapping, exponent: float, rng: np.random.Generator) -> _Shop:
    sizes = np.array([group["items"] for group in groups.values()])
    of_group = np.repeat(np.arange(len(groups)), sizes)
    number = np.concatenate([np.arange(1, size + 1) for size in sizes])
    n_categories = np.array([group["categories"] for group in groups.values()])[of_group]
    weights = np.concatenate([popularity(size, exponent=exponent) for size in sizes])
    medians = np.array([group["price_median"] for group in groups.values()])[of_group]
    price = medians * np.exp(PRICE_SPREAD * rng.standard_normal(len(of_group)))
    return _Shop(
        group_names=tuple(groups),
        group=of_group,
        # Popular items are dealt out to the categories in turn.
        category=(number - 1) % n_categories + 1,
        number=number,
        price=np.maximum(price.round(2), 0.01),
        stacked=stacked_cumulative(weights, of_group),
    )


def _people(kind: np.ndarray, types: Mapping, rng: np.random.Generator) -> pd.DataFrame:
    household = np.empty(len(kind), dtype=object)
    for position, profile in enumerate(types.values()):
        own = np.flatnonzero(kind == position)
        names, shares = zip(*profile["household"].items(), strict=True)
        drawn = draw_columns(_row(shares), np.zeros(len(own), int), rng=rng)
        household[own] = np.array(names, dtype=object)[drawn]
    ids = [f"H{number:06d}" for number in range(1, len(kind) + 1)]
    return pd.DataFrame({"person_id": ids, "household": household})


def _drawn(kind: np.ndarray, key: str, types: Mapping, rng: np.random.Generator) -> np.ndarray:
    counts = np.zeros(len(kind), dtype=np.int64)
    for position, profile in enumerate(types.values()):
        is_kind = kind == position
        counts[is_kind] = draw_counts(int(is_kind.sum()), profile[key], rng=rng)
    return counts


def _rows(
    kind: np.ndarray,
    types: Mapping,
    shop: _Shop,
    relation: np.ndarray,
    pairs: Pairs,
    first_day: pd.Timestamp,
    days: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    person = np.repeat(np.arange(len(kind)), _drawn(kind, "baskets", types, rng))
    second = rng.integers(0, days * DAY_SEC, len(person))
    basket = np.repeat(np.arange(len(person)), _drawn(kind[person], "items", types, rng))
    group = draw_columns(relation, kind[person[basket]], rng=rng)
    item = draw_distinct(basket, group, shop.group, shop.stacked, rng=rng)
    planted = plant_pairs(basket, item, pairs, rng=rng)
    basket = np.append(basket[planted.keep], planted.baskets)
    item = np.append(item[planted.keep], planted.items)
    order = np.lexsort((item, basket))
    basket, item = basket[order], item[order]
    pieces = 1 + rng.poisson(MEAN_FURTHER_PIECES, len(item))
    return pd.DataFrame(
        {
            "basket_id": basket + 1,
            "person_id": [f"H{number + 1:06d}" for number in person[basket]],
            "time": first_day + pd.to_timedelta(second[basket], unit="s"),
            "item": shop.ids[item],
            "quantity": pieces,
            "value": (pieces * shop.price[item]).round(2),
        }
    )


def _faulty_rows(
    rows: pd.DataFrame, rates: Mapping[str, float], rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Make damaged copies of true rows, under the index of the row that each was copied from."""
    damages = {
        "missing_basket": {"basket_id": ""},
        "missing_item": {"item": ""},
        "missing_person": {"person_id": ""},
        "unreadable_time": {"time": "unknown"},
        "repeated": {},
    }
    made = {}
    for name, damage in damages.items():
        chosen = rng.choice(len(rows), rng.binomial(len(rows), rates[name]), replace=False)
        made[name] = rows.iloc[np.sort(chosen)].astype(str).assign(**damage)
    return made


def _write_truth(
    folder: Path,
    shop: _Shop,
    relation: np.ndarray,
    pairs: Pairs,
    people: pd.DataFrame,
    types: Sequence[str],
    kind: np.ndarray,
) -> None:
    planted = people[["person_id"]].assign(person_type=np.array(types, dtype=object)[kind])
    planted.to_parquet(folder / "people.parquet", index=False)
    items = shop.table().rename(columns={"department": "item_group"})
    items[["item", "item_group"]].to_parquet(folder / "items.parquet", index=False)
    table = relation_table(
        relation, types, shop.group_names, row_label="person_type", column_label="item_group"
    )
    write_table(folder / "relation.csv", table)
    sides = {side: shop.ids[getattr(pairs, side)] for side in ("antecedent", "consequent")}
    write_table(folder / "pairs.csv", sides | {"probability": pairs.probability})
