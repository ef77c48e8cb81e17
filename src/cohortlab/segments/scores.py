"""Quintile scores from 1 (worst) to 5 (best), by edges that are fitted once and then applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cohortlab.segments.rfm import MEASURES, checked_measures

N_SCORES = 5
MIDDLE = 3
_SHARES = np.arange(1, N_SCORES) / N_SCORES


@dataclass(frozen=True)
class Scores:
    """The edges between scores; applying them learns nothing.

    Attributes
    ----------
    edges : mapping of str to tuple of float
        For each measure its four edges from the worst to the best, in the measure's unit; or
        none, for a measure that was the same for all and so ranks nobody.

    Examples
    --------
    >>> rfm = pd.DataFrame({"recency": [9, 7, 5, 3, 1], "frequency": 1, "monetary": range(5)})
    >>> fit_scores(rfm).apply(rfm).to_numpy().tolist()
    [[1, 3, 1], [2, 3, 2], [3, 3, 3], [4, 3, 4], [5, 3, 5]]
    """

    edges: Mapping[str, tuple[float, ...]]

    def __post_init__(self):
        if list(self.edges) != list(MEASURES):
            raise ValueError(f"expected edges of {list(MEASURES)}, got {list(self.edges)}")
        for name, edges in self.edges.items():
            ordered = np.diff(np.array(edges, dtype=float) * MEASURES[name])
            if len(edges) not in (0, N_SCORES - 1) or not (ordered >= 0).all():
                raise ValueError(
                    f"edges of {name}: expected none, or {N_SCORES - 1} from the worst to the "
                    f"best, got {list(edges)}"
                )

    def apply(self, rfm: pd.DataFrame) -> pd.DataFrame:
        """Score customers by the stored edges.

        Parameters
        ----------
        rfm : pandas.DataFrame
            `recency`, `frequency` and `monetary`.

        Returns
        -------
        pandas.DataFrame
            The same columns and index; whole numbers from 1 to 5.

        Notes
        -----
        The score is one more than the number of edges that a value is strictly better than. So
        equal values always score alike, a value on an edge gets the lower score, and where many
        customers tie, scores are left out rather than dealt out by chance.
        """
        values = checked_measures(rfm)
        return pd.DataFrame(
            {name: _score(values[name], self.edges[name], MEASURES[name]) for name in MEASURES},
            index=rfm.index,
        )


def fit_scores(rfm: pd.DataFrame, *, leave_out: np.ndarray | None = None) -> Scores:
    """Find the edges that cut each measure into fifths.

    Parameters
    ----------
    rfm : pandas.DataFrame
        `recency`, `frequency` and `monetary`; at least one customer.
    leave_out : ndarray of bool, shape (n_customers,), optional
        Customers who take no part, such as outliers; they are scored like everyone.

    Returns
    -------
    Scores
        An edge is the smallest value that at least 20, 40, 60 or 80 % of the customers are no
        better than (a value of some customer: the inverse of the distribution function).

    Raises
    ------
    ValueError
        If no customer is left.
    """
    values = checked_measures(rfm)
    if leave_out is not None:
        values = values[~np.asarray(leave_out)]
    if values.empty:
        raise ValueError("no customer to take quintiles of: pass some, or leave fewer out")
    return Scores({name: _edges(values[name], sign) for name, sign in MEASURES.items()})


def _edges(values: pd.Series, sign: int) -> tuple[float, ...]:
    if values.min() == values.max():
        return ()
    cuts = np.quantile(sign * values.to_numpy(), _SHARES, method="inverted_cdf")
    return tuple((sign * cuts).tolist())


def _score(values: pd.Series, edges: Sequence[float], sign: int) -> np.ndarray:
    if not edges:
        return np.full(len(values), MIDDLE)
    return 1 + np.searchsorted(sign * np.array(edges), sign * values.to_numpy(), side="left")
