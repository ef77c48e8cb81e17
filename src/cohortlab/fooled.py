"""Rows with a known truth on which common mistakes show: the material of the notebook `fooled`."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import papermill
from sklearn.cluster import KMeans
from traitlets.config import Config

#: Two kinds of people, well apart; settings of `make_population`.
TWO_KINDS = {
    "features": ["visits", "spending"],
    "generator": "normal",
    "clusters": {
        "guests": {"share": 0.5, "visits": [5, 1], "spending": [20, 6]},
        "regulars": {"share": 0.5, "visits": [12, 2], "spending": [50, 6]},
    },
}
#: Three kinds beside each other; `overlap` says how much they touch.
THREE_KINDS = {
    "features": ["visits", "spending"],
    "generator": "normal",
    "clusters": {
        "guests": {"share": 0.4, "visits": [5, 2], "spending": [20, 6]},
        "regulars": {"share": 0.3, "visits": [12, 2], "spending": [30, 6]},
        "traders": {"share": 0.3, "visits": [7, 2], "spending": [55, 6]},
    },
}
#: What the people of `with_copies` have in common, in standard deviations from the mean.
_COPIED = (-1.5, 2.0)


def with_copies(rows: pd.DataFrame, n_copies: int) -> pd.DataFrame:
    """Add people who are written down alike, away from the others.

    Parameters
    ----------
    rows : pandas.DataFrame
        Two features.
    n_copies : int
        How many are added.

    Returns
    -------
    pandas.DataFrame
        The rows, and then the equal ones.
    """
    place = rows.mean() + np.asarray(_COPIED) * rows.std()
    return pd.concat([rows, pd.DataFrame([place] * n_copies)], ignore_index=True)


def pairs_at(
    confidence: float, n_pairs: int, n_baskets: int, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Make baskets with pairs of items whose confidence is exactly a given share.

    Parameters
    ----------
    confidence : float
        In (0, 1), taken as the nearest ratio of whole numbers up to 100, such as 4 of 5.
    n_pairs : int
        Pairs; the j-th has its first item in j times the denominator of the ratio.
    n_baskets : int
        Baskets; each holds a bag too.
    rng : numpy.random.Generator
        Draws the baskets of each pair.

    Returns
    -------
    pandas.DataFrame
        `basket_id, person_id, item`: `if 01` comes with `then 01`, and so on.

    Raises
    ------
    ValueError
        If there are too few baskets for the last pair.

    Examples
    --------
    >>> made = pairs_at(0.5, 1, 4, rng=np.random.default_rng(0))
    >>> made["item"].value_counts().to_dict()
    {'bag': 4, 'if 01': 2, 'then 01': 1}
    """
    ratio = Fraction(confidence).limit_denominator(100)
    if n_pairs * ratio.denominator > n_baskets:
        raise ValueError(
            f"{n_pairs} pairs need {n_pairs * ratio.denominator} baskets, got {n_baskets}: ask for "
            "fewer pairs"
        )
    lines = [(basket, "bag") for basket in range(n_baskets)]
    for j in range(1, n_pairs + 1):
        holders = rng.choice(n_baskets, j * ratio.denominator, replace=False)
        lines += [(basket, f"if {j:02d}") for basket in holders]
        lines += [(basket, f"then {j:02d}") for basket in holders[: j * ratio.numerator]]
    table = pd.DataFrame(lines, columns=["basket_id", "item"])
    return table.assign(person_id=table["basket_id"])[["basket_id", "person_id", "item"]]


def planted_rules(found: pd.DataFrame) -> pd.DataFrame:
    """Keep the rules that `pairs_at` planted.

    Parameters
    ----------
    found : pandas.DataFrame
        Rules with sets of items as `antecedents` and `consequents`.

    Returns
    -------
    pandas.DataFrame
        Those from one `if` to the `then` of the same number.
    """
    ifs, thens = found["antecedents"].map(sorted), found["consequents"].map(sorted)
    own = [
        left == [f"if {right[0][-2:]}"] and right[0].startswith("then")
        for left, right in zip(ifs, thens, strict=True)
    ]
    return found[own].reset_index(drop=True)


def purchases_of(
    people: pd.DataFrame, preference: float, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Let people buy: each has a few baskets, and each basket an item that the kind prefers or not.

    Parameters
    ----------
    people : pandas.DataFrame
        `id` and `kind`, `guests` or `regulars`.
    preference : float
        Share of the baskets of guests that hold tea, and of those of regulars that hold bread; the
        others hold the other item.
    rng : numpy.random.Generator
        Draws numbers of baskets, their order and their items.

    Returns
    -------
    pandas.DataFrame
        `basket_id, person_id, item` in the order of the tills, which is not that of the people.
        Basket ids are whole numbers from 1, as the ids of people may be: the same number is
        another thing.
    """
    owners = rng.permutation(np.repeat(np.arange(len(people)), rng.integers(1, 4, len(people))))
    kinds = people["kind"].to_numpy()[owners]
    prefers = rng.random(len(owners)) < preference
    items = np.where((kinds == "guests") == prefers, "tea", "bread")
    ids = np.arange(1, len(owners) + 1)
    return pd.DataFrame(
        {"basket_id": ids, "person_id": people["id"].to_numpy()[owners], "item": items}
    )


def seeds_that_permute(scaled: np.ndarray, *, n_tried: int = 50) -> tuple[int, int]:
    """Find two seeds from which k-means gives the same two clusters the other way round.

    Parameters
    ----------
    scaled : ndarray of shape (n_rows, n_features)
        Rows of two clusters well apart.
    n_tried : int
        Seeds that are tried.

    Returns
    -------
    tuple of int
        The first seed, 0, and the next whose ids disagree with it for most rows.

    Raises
    ------
    ValueError
        If there is none among those tried.
    """
    first = KMeans(2, n_init=1, random_state=0).fit_predict(scaled)
    for seed in range(1, n_tried):
        other = KMeans(2, n_init=1, random_state=seed).fit_predict(scaled)
        if (other == first).mean() < 0.5:
            return 0, seed
    raise ValueError(f"no seed below {n_tried} permutes the ids: try more")


def write_notebook(path: Path) -> None:
    """Write a notebook of one parameter, the number of clusters, and one cell that tells it.

    Parameters
    ----------
    path : pathlib.Path
        Where to.
    """
    declared = nbformat.v4.new_code_cell(
        'study: str = "toy"\nn_clusters: int = 3',
        id="parameters",
        metadata={"tags": ["parameters"]},
    )
    used = nbformat.v4.new_code_cell("print(n_clusters)", id="use")
    notebook = nbformat.v4.new_notebook(cells=[declared, used])
    notebook.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(notebook, path)


def run_with_papermill(path: Path, parameters: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Run a notebook as papermill does by itself, and listen to what it says.

    Parameters
    ----------
    path : pathlib.Path
        From `write_notebook`.
    parameters : mapping
        What it is run with.

    Returns
    -------
    printed : str
        What its last cell printed.
    said : list of str
        Warnings that papermill left in its log.
    """
    with _messages("papermill") as said:
        executed = papermill.execute_notebook(
            path,
            None,
            dict(parameters),
            progress_bar=False,
            config=Config({"KernelManager": {"transport": "ipc"}}),
        )
    return executed.cells[-1].outputs[0]["text"].strip(), said


@contextmanager
def _messages(name: str) -> Iterator[list[str]]:
    """Collect warnings of a logger, which go nowhere else meanwhile."""
    logger, said = logging.getLogger(name), []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())
    level, passed_on = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = passed_on
