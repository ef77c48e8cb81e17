"""Baskets in any of the forms that users have, read into codes."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cohortlab.rules.checks import plain_value, require

#: A log has at most so many columns of ids: baskets, people, items.
MOST_IDS = 3


@dataclass(frozen=True)
class BasketReport:
    """What was in the baskets as they came.

    Attributes
    ----------
    n_rows : int
        Entries read.
    n_baskets, n_items : int
        Distinct baskets, those without items among them, and distinct items.
    n_repeated : int
        Entries that repeat another, an item twice in a basket: each counts once.
    n_empty : int
        Baskets without any item; they count as baskets.
    """

    n_rows: int
    n_baskets: int
    n_items: int
    n_repeated: int
    n_empty: int


@dataclass(frozen=True)
class Baskets:
    """Baskets as codes.

    Attributes
    ----------
    rows, columns : ndarray of int64, shape (n_entries,)
        Basket and item code of each distinct entry, ordered by both.
    ids : ndarray, shape (n_baskets,)
        Ids of the baskets by code, in order of appearance.
    items : list
        Items by code, sorted.
    report : BasketReport
        What was read.
    """

    rows: np.ndarray
    columns: np.ndarray
    ids: np.ndarray
    items: list
    report: BasketReport

    @property
    def n_baskets(self) -> int:
        """Number of baskets, the empty ones among them."""
        return len(self.ids)

    def matrix(self) -> sparse.csr_array:
        """Baskets by items as a sparse matrix of ones (int32)."""
        ones = np.ones(len(self.rows), dtype=np.int32)
        shape = (self.n_baskets, len(self.items))
        return sparse.csr_array((ones, (self.rows, self.columns)), shape=shape)


def read_baskets(baskets: pd.DataFrame | Sequence[Iterable] | Baskets) -> Baskets:
    """Read baskets from a long table, a list of lists or mlxtend's one-hot frame.

    Parameters
    ----------
    baskets : DataFrame or sequence of iterables
        Columns `basket_id, item`, one row per basket and item; or one iterable of items for each
        basket; or a frame with a row per basket and a column per item that holds true or false, or
        1 or 0, dense or sparse. `Baskets` are handed back as they are. Few dense columns of 1 and 0
        are refused, as they may as well be ids: true and false tell them apart.

    Returns
    -------
    Baskets
        The distinct entries as codes, and what was read.

    Raises
    ------
    ValueError
        If an id or an item is missing or blank, or the form is none of the three, or not clear.

    Examples
    --------
    >>> read_baskets([["tea", "milk", "tea"], []]).report
    BasketReport(n_rows=3, n_baskets=2, n_items=2, n_repeated=1, n_empty=1)
    """
    if isinstance(baskets, Baskets):
        return baskets
    if isinstance(baskets, pd.DataFrame):
        if _is_one_hot(baskets):
            return _from_one_hot(baskets)
        return _from_table(baskets)
    return _from_lists(baskets)


def _is_one_hot(frame: pd.DataFrame) -> bool:
    named = {"basket_id", "item"} & set(frame.columns)
    if len(frame.columns) == 0 or (named and not all(map(_is_flag, frame.dtypes))):
        return False
    return all(pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes)


def _refuse_ids(frame: pd.DataFrame) -> None:
    """Refuse what a log of ids may look like: one has a column for baskets, people and items."""
    plain = [not isinstance(k, pd.SparseDtype) and not _is_flag(k) for k in frame.dtypes]
    if all(plain) and len(frame.columns) <= MOST_IDS:
        raise ValueError(
            f"the columns {list(frame.columns)} of 1 and 0 may be items or ids: for a table of "
            "ids name them basket_id and item; for a one-hot frame make them true and false, by "
            "frame.astype(bool)"
        )


def _is_flag(kind: Any) -> bool:
    return pd.api.types.is_bool_dtype(kind)


def _from_table(table: pd.DataFrame) -> Baskets:
    require(table, ["basket_id", "item"], "baskets")
    for name in ["basket_id", "item"]:
        empty = np.flatnonzero(table[name].isna())
        if len(empty):
            raise ValueError(
                f"baskets.{name} is missing in {len(empty)} rows, first in row {empty[0]}: drop or "
                "name them before mining"
            )
    rows, ids = pd.factorize(table["basket_id"])
    columns, items = item_codes(table["item"])
    return _coded(rows, columns, np.asarray(ids), items)


def _from_lists(baskets: Sequence[Iterable]) -> Baskets:
    _refuse_matrix(baskets)
    if isinstance(baskets, str | bytes) or not isinstance(baskets, Iterable):
        raise ValueError(f"baskets are a {type(baskets).__name__}: give a table or a list of lists")
    held = []
    for place, basket in enumerate(baskets):
        if isinstance(basket, str | bytes) or not isinstance(basket, Iterable):
            raise ValueError(f"basket {place} is {basket!r}: each has to be a list of items")
        held.append(list(basket))
    flat = pd.Series([item for basket in held for item in basket], dtype=object)
    rows = np.repeat(np.arange(len(held)), [len(basket) for basket in held])
    missing = np.flatnonzero(flat.isna())
    if len(missing):
        raise ValueError(
            f"{len(missing)} items are missing, the first in basket {rows[missing[0]]}: drop or "
            "name them before mining"
        )
    return _coded(rows, *_split(item_codes(flat), np.arange(len(held))))


def _refuse_matrix(baskets: Any) -> None:
    numbers = isinstance(baskets, np.ndarray) and baskets.ndim == 2 and baskets.dtype.kind in "biuf"
    if numbers or sparse.issparse(baskets):
        raise ValueError(
            f"baskets are a matrix of the shape {baskets.shape}, without the names of items: give "
            "pd.DataFrame(matrix, columns=names) (of a sparse one "
            "pd.DataFrame.sparse.from_spmatrix), or matrix.tolist() where rows list items"
        )


def _split(coded: tuple[np.ndarray, list], ids: np.ndarray) -> tuple[np.ndarray, np.ndarray, list]:
    return coded[0], ids, coded[1]


def _from_one_hot(frame: pd.DataFrame) -> Baskets:
    if frame.columns.hasnans or frame.columns.has_duplicates:
        raise ValueError("the columns of the one-hot frame need names, all different")
    is_sparse = all(isinstance(kind, pd.SparseDtype) for kind in frame.dtypes)
    if is_sparse and all(kind.fill_value == 0 for kind in frame.dtypes):
        held = frame.sparse.to_coo()
        rows, places, values = held.row, held.col, held.data
    else:
        whole = frame.sparse.to_dense() if is_sparse else frame
        missing = np.argwhere(whole.isna().to_numpy())
        if len(missing):
            raise ValueError(_not_a_flag(frame, None, *missing[0]))
        dense = whole.to_numpy()
        rows, places = np.nonzero(dense)
        values = dense[rows, places]
    wrong = np.flatnonzero(np.asarray(values, dtype=float) != 1)
    wrong = wrong[np.asarray(values, dtype=float)[wrong] != 0]
    if len(wrong):
        raise ValueError(_not_a_flag(frame, *(part[wrong[0]] for part in (values, rows, places))))
    _refuse_ids(frame)
    kept = np.asarray(values, dtype=bool)
    codes, items = item_codes(pd.Series(frame.columns))
    return _coded(rows[kept].astype(np.int64), codes[places[kept]], frame.index.to_numpy(), items)


def _not_a_flag(frame: pd.DataFrame, value: Any, row: int, place: int) -> str:
    return (
        f"the one-hot frame holds {plain_value(value)!r} in row {row}, column "
        f"{frame.columns[place]!r}: every value has to be true or false, 1 or 0; a table of ids "
        "needs the columns basket_id and item"
    )


def item_codes(items: pd.Series) -> tuple[np.ndarray, list]:
    """Code items by their order.

    Parameters
    ----------
    items : Series
        Items, none missing.

    Returns
    -------
    codes : ndarray of int, shape (n,)
        Code of each.
    names : list
        The items by code.

    Raises
    ------
    ValueError
        If an item is a list or the like, which cannot be in a set.
    """
    try:
        codes, names = pd.factorize(items, sort=True)
        return codes, list(names.tolist())
    except TypeError:
        odd = next((item for item in items if not isinstance(item, Hashable)), None)
        if odd is not None:
            raise ValueError(
                f"the item {odd!r} cannot be in a set: give a text or number"
            ) from None
        # Texts beside numbers have no order of their own: the name of the type comes first.
        codes, names = pd.factorize(items)
        names = list(names.tolist())
        order = sorted(range(len(names)), key=lambda i: (type(names[i]).__name__, str(names[i])))
        return np.argsort(order)[codes], [names[i] for i in order]


def _coded(rows: np.ndarray, columns: np.ndarray, ids: np.ndarray, items: list) -> Baskets:
    for what, names, codes in (("items", items, columns), ("basket ids", ids, rows)):
        blank = _blank(names)
        if blank:
            own = np.isin(codes, blank)
            where = f", first in basket {plain_value(ids[rows[own][0]])!r}" if own.any() else ""
            raise ValueError(
                f"{what} are blank in {int(own.sum())} entries{where}: drop or name them before "
                "mining"
            )
    n_rows, width = len(rows), max(len(items), 1)
    entries = rows.astype(np.int64) * width + columns
    if (entries[1:] <= entries[:-1]).any():
        entries = np.unique(entries)
        rows, columns = np.divmod(entries, width)
    n_filled = int((np.diff(rows, prepend=-1) != 0).sum())
    report = BasketReport(
        n_rows=n_rows,
        n_baskets=len(ids),
        n_items=len(items),
        n_repeated=n_rows - len(rows),
        n_empty=len(ids) - n_filled,
    )
    return Baskets(rows, columns, ids, items, report)


def _blank(names: Sequence | np.ndarray) -> list[int]:
    """Places of names of nothing but spaces: entries that know no item would share one of them."""
    if isinstance(names, np.ndarray) and names.dtype.kind != "O":
        return []
    return [i for i, name in enumerate(names) if isinstance(name, str) and not name.strip()]
