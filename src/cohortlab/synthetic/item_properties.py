"""Properties of items over time and the category tree, in the form of RetailRocket's files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from cohortlab.synthetic.catalogue import Catalogue
from cohortlab.synthetic.event_sessions import DAY_MS
from cohortlab.synthetic.lines import as_text, join_fields, pick, stack, write_lines

PROPERTY_HEADER = b"timestamp,itemid,property,value\n"
NOISE_PROPERTIES = ("790", "888", "283", "6")
CHUNK_ITEMS = 50_000


@dataclass(frozen=True)
class _Rows:
    item: np.ndarray
    time_ms: np.ndarray
    name: pa.Array
    value: pa.Array


def write_category_tree(path: Path, catalogue: Catalogue, *, rng: np.random.Generator) -> None:
    """Write ``category_tree.csv``: a root without a parent for each group, its categories below.

    Parameters
    ----------
    path : Path
        The file.
    catalogue : Catalogue
        Groups and their categories.
    rng : numpy.random.Generator
        Source of chance, for the order of the lines.
    """
    categories = np.concatenate([catalogue.group_ids, catalogue.category_ids])
    parents = [""] * len(catalogue.group_ids)
    parents += [str(i) for i in catalogue.group_ids[catalogue.category_group]]
    order = rng.permutation(len(categories))
    fields = [as_text(categories[order]), pick(parents, order)]
    with open(path, "wb") as handle:
        handle.write(b"categoryid,parentid\n")
        write_lines(handle, join_fields(fields, separator=",", end="\n"))


def write_item_properties(
    paths: tuple[Path, Path],
    catalogue: Catalogue,
    properties: Mapping,
    *,
    start_ms: int,
    days: int,
    rng: np.random.Generator,
) -> int:
    """Write the two files of item properties, a chunk of items at a time.

    Parameters
    ----------
    paths : tuple of two Path
        The two parts; each row goes to one of them by chance.
    catalogue : Catalogue
        The items.
    properties : mapping
        ``available_share``, ``changes``, ``moved_share``, ``late_share`` and ``noise``.
    start_ms, days : int
        Window of the log.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    int
        Rows written.
    """
    n_rows = 0
    with open(paths[0], "wb") as first, open(paths[1], "wb") as second:
        for handle in (first, second):
            handle.write(PROPERTY_HEADER)
        for begin in range(0, len(catalogue.item_ids), CHUNK_ITEMS):
            end = min(begin + CHUNK_ITEMS, len(catalogue.item_ids))
            items = np.arange(begin, end)
            lines = _property_lines(items, catalogue, properties, start_ms, days, rng)
            order = rng.permutation(len(lines))
            half = len(lines) // 2
            write_lines(first, lines.take(pa.array(order[:half])))
            write_lines(second, lines.take(pa.array(order[half:])))
            n_rows += len(lines)
    return n_rows


def _property_lines(
    items: np.ndarray,
    catalogue: Catalogue,
    properties: Mapping,
    start_ms: int,
    days: int,
    rng: np.random.Generator,
) -> pa.Array:
    # An item without a property before the window counts as not available until its first one.
    is_late = rng.random(len(items)) < properties["late_share"]
    before = start_ms - rng.integers(1, 7 * DAY_MS, len(items))
    within = start_ms + rng.integers(0, days * DAY_MS, len(items))
    listed_ms = np.where(is_late, within, before)
    end_ms = start_ms + days * DAY_MS
    parts = (
        *_category_rows(items, listed_ms, end_ms, catalogue, properties["moved_share"], rng),
        *_availability_rows(items, listed_ms, end_ms, properties, rng),
        _noise_rows(items, listed_ms, properties["noise"], rng),
    )
    return stack([_lines(rows, catalogue) for rows in parts])


def _lines(rows: _Rows, catalogue: Catalogue) -> pa.Array:
    item_ids = as_text(catalogue.item_ids[rows.item])
    fields = [as_text(rows.time_ms), item_ids, rows.name, rows.value]
    return join_fields(fields, separator=",", end="\n")


def _named(name: str, item: np.ndarray, time_ms: np.ndarray, value: np.ndarray) -> _Rows:
    return _Rows(item, time_ms, pick([name], np.zeros(len(item), dtype=np.int64)), as_text(value))


def _category_rows(
    items: np.ndarray,
    listed_ms: np.ndarray,
    end_ms: int,
    catalogue: Catalogue,
    moved_share: float,
    rng: np.random.Generator,
) -> tuple[_Rows, _Rows]:
    """Give the category when listed, and later that of items that moved: the last is the true."""
    ids = catalogue.category_ids
    true_id = ids[catalogue.item_category[items]]
    is_moved = rng.random(len(items)) < moved_share
    other_id = ids[rng.integers(0, len(ids), len(items))]
    first = _named("categoryid", items, listed_ms, np.where(is_moved, other_id, true_id))
    # A span of at least 1 ms follows the listing, so the true category is always the latest.
    moved_ms = listed_ms[is_moved] + rng.integers(1, end_ms - listed_ms[is_moved] + 1)
    return first, _named("categoryid", items[is_moved], moved_ms, true_id[is_moved])


def _availability_rows(
    items: np.ndarray,
    listed_ms: np.ndarray,
    end_ms: int,
    properties: Mapping,
    rng: np.random.Generator,
) -> tuple[_Rows, _Rows]:
    share = properties["available_share"]
    state = (rng.random(len(items)) < share).astype(np.int64)
    n_changes = rng.poisson(properties["changes"], len(items))
    again = np.repeat(np.arange(len(items)), n_changes)
    changed_ms = listed_ms[again] + rng.integers(1, end_ms - listed_ms[again] + 1)
    # Two values of one item at the same millisecond would leave its availability undecided.
    unique = np.unique(np.stack([again, changed_ms]), axis=1)
    later = (rng.random(unique.shape[1]) < share).astype(np.int64)
    return (
        _named("available", items, listed_ms, state),
        _named("available", items[unique[0]], unique[1], later),
    )


def _noise_rows(
    items: np.ndarray, listed_ms: np.ndarray, noise: float, rng: np.random.Generator
) -> _Rows:
    """Hashed numbers such as ``n720.000``, which mean nothing here either."""
    item = np.repeat(items, rng.poisson(noise, len(items)))
    time_ms = listed_ms[item - items[0]] + rng.integers(0, 30 * DAY_MS, len(item))
    name = pick(NOISE_PROPERTIES, rng.integers(0, len(NOISE_PROPERTIES), len(item)))
    number = as_text(rng.integers(1, 1_000_000, len(item)))
    return _Rows(item, time_ms, name, join_fields(["n", number, ".000"], separator=""))
