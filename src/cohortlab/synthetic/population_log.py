"""A log of people, items and purchases with known truth, in files as `read_populations` takes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_keys
from cohortlab.synthetic.populations import LABEL_COLUMN, generate_purchases, make_population
from cohortlab.synthetic.relations import relation_table

_SIDE = ["features", "generator", "overlap", "correlation", "clusters"]
_FAULTS = ["unknown_person", "missing_item", "unreadable_time"]


def generate_population_log(
    folder: Path,
    truth_folder: Path,
    *,
    n_people: int,
    n_items: int,
    people: Mapping[str, Any],
    items: Mapping[str, Any],
    relation: Mapping[str, Mapping[str, float]] | None,
    relation_strength: float,
    purchasing: str,
    options: Mapping[str, Any],
    person_degrees: Mapping[str, Any],
    item_degrees: Mapping[str, Any],
    tastes: Sequence[Mapping[str, Any]],
    times: Mapping[str, Any],
    faults: Mapping[str, float],
    rng: np.random.Generator,
) -> dict[str, int]:
    """Generate people, items and purchases, with what was planted beside them.

    Parameters
    ----------
    folder : Path
        Gets ``people.csv``, ``items.csv`` (an id and the features each) and ``purchases.csv``
        (``person_id, item_id, time``).
    truth_folder : Path
        Gets ``people.parquet`` (``person_id, person_type``), ``items.parquet`` (``item_id,
        item_group``), ``relation.csv`` (``person_type, item_group, propensity``) and ``pairs.csv``,
        which is empty: no co-purchase is planted.
    n_people, n_items : int
        How many, from 1.
    people, items : mapping
        ``features, generator, overlap, correlation, clusters`` as `make_population` takes them.
    relation, purchasing, options, person_degrees, item_degrees, tastes, times
        As for `generate_purchases`.
    relation_strength : float
        Its `strength`.
    faults : mapping
        ``unknown_person, missing_item, unreadable_time``: faulty copies of purchases, as a share of
        the true ones, 0 to 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict
        ``lines`` and the number of each fault.

    Raises
    ------
    ValueError
        If a setting is impossible; the message names it.
    """
    check_keys(faults, _FAULTS, where="faults")
    for name, share in faults.items():
        check_number(share, where=f"faults.{name}", low=0, high=1)
    seeds = iter(rng.integers(2**31, size=3).tolist())
    tables = {
        side: _population(n, settings, next(seeds), where=side)
        for side, n, settings in (("people", n_people, people), ("items", n_items, items))
    }
    bought = generate_purchases(
        tables["people"],
        tables["items"],
        relation,
        strength=relation_strength,
        purchasing=purchasing,
        options=options,
        person_degrees=person_degrees,
        item_degrees=item_degrees,
        tastes=tastes,
        times=times,
        random_state=next(seeds),
    )
    _write_populations(folder, truth_folder, tables)
    planted = bought.relation
    relation_table(
        planted.to_numpy(), planted.index, planted.columns,
        row_label="person_type", column_label="item_group",
    ).to_csv(truth_folder / "relation.csv", index=False)  # fmt: skip
    pairs = pd.DataFrame(columns=["antecedent", "consequent", "probability"])
    pairs.to_csv(truth_folder / "pairs.csv", index=False)
    lines, counts = _with_faults(bought.events, faults, rng)
    lines.to_csv(folder / "purchases.csv", index=False)
    return {"lines": len(lines), **counts}


def _population(n: int, settings: Mapping[str, Any], seed: int, *, where: str) -> pd.DataFrame:
    check_keys(settings, _SIDE, where=where)
    rows = make_population(n, **settings, random_state=seed)
    prefix = {"people": "p", "items": "i"}[where]
    return rows.set_axis([f"{prefix}{k:0{len(str(n))}d}" for k in range(1, n + 1)])


def _write_populations(
    folder: Path, truth_folder: Path, tables: Mapping[str, pd.DataFrame]
) -> None:
    names = {"people": ("person_id", "person_type"), "items": ("item_id", "item_group")}
    for side, (own, label) in names.items():
        rows = tables[side].rename_axis(own).reset_index()
        rows.drop(columns=LABEL_COLUMN).to_csv(folder / f"{side}.csv", index=False)
        truth = rows[[own, LABEL_COLUMN]].set_axis([own, label], axis=1)
        truth.to_parquet(truth_folder / f"{side}.parquet", index=False)


def _with_faults(
    events: pd.DataFrame, faults: Mapping[str, float], rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Put faulty copies of purchases among the true ones."""
    lines = events.rename(columns={"item": "item_id"}).astype({"time": str})
    spoilt = {"unknown_person": ("person_id", "nobody"), "missing_item": ("item_id", "")}
    spoilt["unreadable_time"] = ("time", "yesterday")
    parts, counts = [lines], {}
    for fault, (column, value) in spoilt.items():
        counts[fault] = round(len(lines) * faults[fault])
        copies = lines.iloc[rng.choice(len(lines), counts[fault], replace=False)]
        parts.append(copies.assign(**{column: value}))
    # A stable sort by the old place puts each copy behind its original.
    return pd.concat(parts).sort_index(kind="stable"), counts
