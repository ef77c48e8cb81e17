"""Purchases: the function that takes each person to items, with its truth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_keys, read_day
from cohortlab.synthetic.populations.degrees import draw_degrees
from cohortlab.synthetic.populations.population import LABEL_COLUMN
from cohortlab.synthetic.populations.purchasing import PURCHASING, Market, by_cluster
from cohortlab.synthetic.populations.tastes import read_tastes
from cohortlab.synthetic.relations import Preferences, relation_matrix, stacked_cumulative

Purchasing = Callable[[Market, np.random.Generator], np.ndarray]
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Purchases:
    """Purchases and what was planted in them.

    Attributes
    ----------
    edges : DataFrame
        `person_id, item, weight`: one row a pair, in the order of both populations.
    matrix : scipy.sparse.csr_array of shape (n_people, n_items)
        The same with a row for everybody and a column for every item, in their order.
    relation : DataFrame, shape (n_person_clusters, n_item_clusters)
        Truth: the propensities that were planted; rows sum to one.
    person_clusters, item_clusters : ndarray of str
        Truth: the cluster of each row and column of the matrix.
    events : DataFrame or None
        `person_id, item, time`: one row a purchase, where time stamps were asked for.
    """

    edges: pd.DataFrame
    matrix: sparse.csr_array
    relation: pd.DataFrame
    person_clusters: np.ndarray
    item_clusters: np.ndarray
    events: pd.DataFrame | None


def generate_purchases(
    people: pd.DataFrame,
    items: pd.DataFrame,
    relation: pd.DataFrame | Preferences | None = None,
    *,
    strength: float = 1.0,
    purchasing: str | Purchasing = "cluster",
    options: Mapping[str, Any] | None = None,
    person_degrees: Mapping | None = None,
    item_degrees: Mapping | None = None,
    tastes: Sequence[Mapping] = (),
    times: Mapping | None = None,
    random_state: int,
) -> Purchases:
    """Let people purchase items: the bipartite graph of a planted relation.

    Parameters
    ----------
    people, items : DataFrame
        From `make_population`; the index is the id, `cluster` the true cluster.
    relation : DataFrame or mapping, optional
        Relative propensity of each cluster of people (rows) for clusters of items (columns), or
        the one cluster that it prefers; see `cohortlab.synthetic.relation_matrix`. Without it
        every cluster of people gets one preferred cluster of items.
    strength : float
        From 0 (no relation: everybody buys as items are popular) to 1 (the relation as given,
        deterministic where a cluster of people has a single cluster of items).
    purchasing : str or callable
        ``cluster``, ``features`` or ``habit`` (see `PURCHASING`), or a function
        ``(market, rng) -> item positions``.
    options : mapping, optional
        Keyword arguments of the purchasing function.
    person_degrees : mapping, optional
        Distribution of the purchases of a person, as `draw_degrees` takes it; Poisson of mean 10
        by default.
    item_degrees : mapping, optional
        Distribution of the items' popularity, of the same form: within its cluster, and without a
        relation overall, an item is bought in proportion to it. All alike by default.
    tastes : sequence of mapping
        How features of both sides matter, as `read_tastes` takes them; the purchasing functions
        ``features`` and ``habit`` use them, ``cluster`` refuses them.
    times : mapping, optional
        ``start`` (a date) and ``days``: every purchase gets a time in this window.
    random_state : int
        Seed.

    Returns
    -------
    Purchases
        Edges with weights, and the truth.

    Raises
    ------
    ValueError
        If a setting is impossible or a cluster is unknown to the relation.
    """
    check_number(strength, where="strength", low=0, high=1)
    check_number(random_state, where="random_state", low=0, whole=True)
    if purchasing in ("cluster", by_cluster) and len(tastes):
        raise ValueError(
            "tastes: purchasing by cluster looks at no feature; choose 'features' or 'habit', or "
            "give no tastes"
        )
    rng = np.random.default_rng(random_state)
    person_codes, person_names = _clusters(people, "people")
    item_codes, item_names = _clusters(items, "items")
    popularity = _popularity(item_degrees, item_codes, item_names, rng)
    shares = np.bincount(item_codes, popularity) / popularity.sum()
    planted = _plant(relation, person_names, item_names, strength, shares, rng)
    block = {"distribution": "poisson", "mean": 10} if person_degrees is None else person_degrees
    degrees = draw_degrees(len(people), block, where="person_degrees", rng=rng)
    order = np.argsort(item_codes, kind="stable")
    market = Market(
        person=np.repeat(np.arange(len(people)), degrees),
        person_cluster=person_codes,
        relation=planted.to_numpy(),
        item_order=order,
        stacked=stacked_cumulative(popularity[order], item_codes[order]),
        affinity=read_tastes(tastes, people, items),
    )
    bought = _purchase(market, purchasing, options, len(items), rng)
    matrix = _count(market.person, bought, (len(people), len(items)))
    names = person_names[person_codes], item_names[item_codes]
    events = None if times is None else _events(market.person, bought, people, items, times, rng)
    return Purchases(_edges(matrix, people, items), matrix, planted, *names, events)


def _clusters(table: pd.DataFrame, side: str) -> tuple[np.ndarray, np.ndarray]:
    if LABEL_COLUMN not in table.columns or not len(table):
        raise ValueError(f"{side}: expected rows with a column {LABEL_COLUMN!r}")
    if not table.index.is_unique:
        raise ValueError(
            f"{side}: the index holds {table.index[table.index.duplicated()][0]!r} twice"
        )
    names, codes = np.unique(table[LABEL_COLUMN].astype(str).to_numpy(object), return_inverse=True)
    return codes, names


def _popularity(
    block: Mapping | None, codes: np.ndarray, names: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    if block is None:
        return np.ones(len(codes))
    drawn = draw_degrees(len(codes), block, where="item_degrees", rng=rng).astype(float)
    empty = np.flatnonzero(np.bincount(codes, drawn) == 0)
    if len(empty):
        raise ValueError(
            f"item_degrees: all items of cluster {names[empty[0]]!r} drew 0; raise the mean, or "
            "give the cluster more items"
        )
    return drawn


def _plant(
    relation: pd.DataFrame | Mapping | None,
    person_names: np.ndarray,
    item_names: np.ndarray,
    strength: float,
    shares: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    given = relation.to_dict("index") if isinstance(relation, pd.DataFrame) else relation
    matrix = relation_matrix(
        list(person_names),
        list(item_names),
        strength=strength,
        column_shares=shares,
        preferences=None if given is None else _with_text_keys(given),
        rng=rng,
        where="relation",
    )
    return pd.DataFrame(matrix, index=person_names, columns=item_names)


def _with_text_keys(relation: Mapping) -> dict:
    # Clusters are text here, whatever they are in the table that was given.
    return {
        str(person): {str(item): value for item, value in wanted.items()}
        if isinstance(wanted, Mapping)
        else wanted
        for person, wanted in relation.items()
    }


def _purchase(
    market: Market,
    purchasing: str | Purchasing,
    options: Mapping[str, Any] | None,
    n_items: int,
    rng: np.random.Generator,
) -> np.ndarray:
    if not callable(purchasing) and purchasing not in PURCHASING:
        raise ValueError(
            f"purchasing: expected a function or one of {list(PURCHASING)}, got {purchasing!r}"
        )
    function = purchasing if callable(purchasing) else PURCHASING[purchasing]
    bought = np.asarray(partial(function, **(options or {}))(market, rng))
    if bought.shape != market.person.shape:
        raise ValueError(
            f"purchasing: expected one item for each of {len(market.person)} purchases, got shape "
            f"{bought.shape}"
        )
    if len(bought) and not 0 <= bought.min() <= bought.max() < n_items:
        raise ValueError(f"purchasing: expected positions from 0 to {n_items - 1}")
    return bought


def _count(person: np.ndarray, item: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    ones = np.ones(len(person), dtype=np.int64)
    matrix = sparse.coo_array((ones, (person, item)), shape=shape).tocsr()
    matrix.sum_duplicates()
    return matrix


def _edges(matrix: sparse.csr_array, people: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    person = np.repeat(np.arange(len(people)), np.diff(matrix.indptr))
    return pd.DataFrame(
        {
            "person_id": people.index.to_numpy()[person],
            "item": items.index.astype(str).to_numpy(object)[matrix.indices],
            "weight": matrix.data,
        }
    )


def _events(
    person: np.ndarray,
    item: np.ndarray,
    people: pd.DataFrame,
    items: pd.DataFrame,
    times: Mapping,
    rng: np.random.Generator,
) -> pd.DataFrame:
    check_keys(times, ["start", "days"], where="times")
    check_number(times["days"], where="times.days", low=1, whole=True)
    drawn = rng.integers(0, times["days"] * _DAY_MS, len(person))
    # The purchases of a person are in order already; their times are made so.
    drawn = drawn[np.lexsort((drawn, person))]
    return pd.DataFrame(
        {
            "person_id": people.index.to_numpy()[person],
            "item": items.index.astype(str).to_numpy(object)[item],
            "time": read_day(times["start"]) + pd.to_timedelta(drawn, unit="ms"),
        }
    )
