"""Features as a clustering sees them: columns chosen, mass points apart, counts spread out."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd


def is_apart(features: pd.DataFrame, points: Mapping[str, float]) -> np.ndarray:
    """Tell which rows stand on an exact mass point and form a group of their own.

    Where most rows share one value (a single event, say), no bell describes them: its width is
    zero, and a mixture spends its components on them. They are known exactly, so they are set
    apart before the rest is clustered.

    Parameters
    ----------
    features : pandas.DataFrame
        Unscaled features.
    points : mapping of str to float
        Column and its value; a row that has any of these values is apart. Empty for none.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        Whether the row is apart.

    Raises
    ------
    ValueError
        If a column does not exist, or every row is apart: no row is left to cluster.

    Examples
    --------
    >>> is_apart(pd.DataFrame({"events": [1, 4, 1]}), {"events": 1}).tolist()
    [True, False, True]
    """
    _require(features, points, "apart")
    apart = np.zeros(len(features), dtype=bool)
    for name, value in points.items():
        apart |= (features[name] == value).to_numpy()
    if len(apart) and apart.all():
        raise ValueError(
            f"all {len(apart)} rows stand apart by {dict(points)}, so none is left to cluster: set "
            "`features.apart` of the study to {} in params.yaml"
        )
    return apart


def clustered_columns(
    features: pd.DataFrame,
    columns: Sequence[str],
    *,
    spread: Sequence[str] = (),
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Take the columns that are clustered, counts spread over their unit.

    Parameters
    ----------
    features : pandas.DataFrame
        Unscaled features.
    columns : sequence of str
        The columns to take, in this order.
    spread : sequence of str
        Counts among them.
    rng : numpy.random.Generator, optional
        Draws the fraction that is added to each count, to fit a model. Without it every count
        gets the middle of its unit, 1/2: so a fitted model scores equal rows equally.

    Returns
    -------
    pandas.DataFrame
        Floating-point columns, rows as in `features`.

    Raises
    ------
    ValueError
        If a column does not exist.

    Notes
    -----
    A density fitted to whole numbers finds spikes without width, and any number of them. With a
    uniform fraction added the count has a density, that of the step function of its
    probabilities, and the count is recovered by rounding down: nothing is lost.

    References
    ----------
    Machado and Santos Silva (2005), Quantiles for counts, section 2.
    """
    _require(features, columns, "clustered")
    _require(features, spread, "spread")
    taken = features[list(columns)].astype(float)
    for name in (name for name in columns if name in set(spread)):
        taken[name] += 0.5 if rng is None else rng.uniform(0.0, 1.0, len(taken))
    return taken


def _require(features: pd.DataFrame, names, key: str) -> None:
    missing = [name for name in names if name not in features]
    if missing:
        raise ValueError(
            f"`{key}` names no feature: {missing}; there are: {list(features.columns)}"
        )
