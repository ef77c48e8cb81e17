"""One trial: populations and purchases under one condition, and what every algorithm finds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cohortlab.bipartite import relations, split_edges
from cohortlab.laboratory.finders import FINDERS, Sides, find_clusters
from cohortlab.recovery import Matching, label_scores, match_labels, propensity_recovery
from cohortlab.synthetic.populations import (
    LABEL_COLUMN,
    ClusterLaw,
    draw_population,
    generate_purchases,
    null_clusters,
    read_clusters,
    spread_clusters,
)

Labels = tuple[np.ndarray, np.ndarray]

#: Three kinds of people and three of items; one feature of each side has by far the larger range.
DESIGN = {
    "people": {
        "features": ["age", "budget"],
        "generator": "normal",
        "clusters": {
            "students": {"share": 0.4, "age": [22, 4], "budget": [300, 200]},
            "families": {"share": 0.35, "age": [40, 4], "budget": [900, 200]},
            "pensioners": {"share": 0.25, "age": [58, 4], "budget": [300, 200]},
        },
    },
    "items": {
        "features": ["size", "price"],
        "generator": "normal",
        "clusters": {
            "books": {"share": 0.4, "size": [2, 0.5], "price": [15, 15]},
            "tools": {"share": 0.3, "size": [4, 0.5], "price": [60, 15]},
            "plants": {"share": 0.3, "size": [6, 0.5], "price": [15, 15]},
        },
    },
}

#: Short name of a score -> its name in `label_scores`.
_SCORES = {
    "ari": "adjusted_rand_index",
    "ami": "adjusted_mutual_information",
    "v": "v_measure",
    "hamming": "hamming_distance",
}


@dataclass(frozen=True)
class Condition:
    """What is varied from trial to trial.

    Attributes
    ----------
    overlap : float
        Mean misclassification of two clusters by the best classifier of their features.
    strength : float
        Strength of the relation, 0 to 1.
    density : float
        Mean number of purchases of a person.
    n_people : int
        Number of people.
    """

    overlap: float
    strength: float
    density: float
    n_people: int


def run_trial(
    condition: Condition,
    algorithms: Sequence[str],
    *,
    seed: int,
    design: Mapping[str, Mapping] = DESIGN,
    people_per_item: float = 5.0,
    scale: bool = True,
    number: str = "truth",
    null: bool = False,
) -> list[dict[str, Any]]:
    """Make populations under a condition and score what every algorithm finds in them.

    Parameters
    ----------
    condition : Condition
        What is varied.
    algorithms : sequence of str
        Names of `cohortlab.laboratory.FINDERS`.
    seed : int
        Seed of populations, purchases and algorithms; all algorithms see the same data.
    design : mapping
        ``people`` and ``items``, each with ``features``, ``generator`` and ``clusters`` (a mapping)
        as `make_population` takes them.
    people_per_item : float
        There is an item for so many people, but 30 at least.
    scale, number
        As for `find_clusters`.
    null : bool
        Whether there is nothing to find: one cluster of each side and no relation, with algorithms
        that are told the numbers of the design.

    Returns
    -------
    list of dict
        For every algorithm the condition, `is_null, algorithm, looks_at`, the scores
        `person_ari, person_ami, person_v, person_hamming` (see `label_scores`; None in a null), the
        same of the items, `n_person_clusters, n_item_clusters`; and of the table of relations
        `relation_error, relation_error_ratio, relation_correlation, n_planted, n_missed, n_false`
        (see `propensity_recovery`) and `n_significant`.

    Notes
    -----
    Labels are scored as found on all edges. Relations between clusters that were found on edges
    must be tested on other edges: for their table the edges are dealt to two halves at random, and
    clusters are found again on one and tested on the other (`cohortlab.bipartite.split_edges`).
    """
    streams = np.random.SeedSequence(seed).generate_state(5)
    n_items = max(30, round(condition.n_people / people_per_item))
    people, items = (
        _population(design[side], n, condition.overlap, int(stream), null)
        for side, n, stream in zip(
            ("people", "items"), (condition.n_people, n_items), streams[:2], strict=True
        )
    )
    purchases = generate_purchases(
        people,
        items,
        strength=0.0 if null else condition.strength,
        person_degrees={"distribution": "poisson", "mean": condition.density},
        item_degrees={"distribution": "power_law", "exponent": 2.0, "minimum": 2, "maximum": 20},
        random_state=int(streams[2]),
    )
    numbers = tuple(len(design[side]["clusters"]) for side in ("people", "items"))
    values = [t.drop(columns=LABEL_COLUMN).to_numpy(dtype=float) for t in (people, items)]
    halves = split_edges(purchases.matrix, rng=np.random.default_rng(int(streams[3])))
    whole, half = (Sides(*values, edges, numbers) for edges in (purchases.matrix, halves[0]))
    own = int(streams[4] % 2**31)
    search = partial(find_clusters, scale=scale, number=number, random_state=own)
    truth = purchases.person_clusters, purchases.item_clusters
    activity = pd.Series(purchases.matrix.sum(axis=1)).groupby(truth[0]).sum().to_dict()
    score_relation = partial(_relation_figures, purchases.relation, activity, null=null)
    rows = []
    for algorithm in algorithms:
        labels = search(whole, algorithm)
        matched = _match(truth, labels)
        looks_at = FINDERS[algorithm][0]
        head = {**asdict(condition), "is_null": null, "algorithm": algorithm, "looks_at": looks_at}
        scores = _label_figures(truth, labels, matched, null)
        tested = labels, matched, purchases.matrix
        if looks_at == "edges":
            labels = search(half, algorithm)
            tested = labels, _match(truth, labels), halves[1]
        rows.append(head | scores | score_relation(*tested))
    return rows


def _population(side: Mapping, n: int, overlap: float, seed: int, null: bool) -> Any:
    if null:
        clusters = read_clusters(**{**side, "clusters": null_clusters(side["clusters"])})
    else:
        clusters = _spread(json.dumps(side), overlap)
    return draw_population(n, clusters, seed)


@cache
def _spread(side: str, overlap: float) -> list[ClusterLaw]:
    # Solving for the overlap takes as long as the trial, and many trials share it.
    return spread_clusters(read_clusters(**json.loads(side)), overlap)


def _match(truth: Labels, labels: Labels) -> list[Matching]:
    return [match_labels(*pair) for pair in zip(truth, labels, strict=True)]


def _label_figures(
    truth: Labels, labels: Labels, matched: list[Matching], null: bool
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for side, *compared in zip(("person", "item"), truth, labels, matched, strict=True):
        # Without clusters every partition has the same index: it says nothing.
        scores = {} if null else label_scores(*compared)
        figures |= {f"{side}_{short}": scores.get(name) for short, name in _SCORES.items()}
    n_people, n_items = (len(np.unique(found)) for found in labels)
    return {**figures, "n_person_clusters": n_people, "n_item_clusters": n_items}


def _relation_figures(
    planted: pd.DataFrame,
    activity: Mapping[str, int],
    labels: Labels,
    matched: list[Matching],
    edges: sparse.csr_array,
    *,
    null: bool,
) -> dict[str, Any]:
    table = relations(edges, *labels)
    found, _ = propensity_recovery(planted, table, *matched, weights=activity)
    return {
        "relation_error": None if null else found["relative_error"],
        "relation_error_ratio": None if null else found["error_ratio"],
        "relation_correlation": None if null else found["correlation"],
        **{name: found[name] for name in ("n_planted", "n_missed", "n_false")},
        "n_significant": int((table["q"] <= 0.05).sum()),
    }
