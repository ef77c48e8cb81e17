"""Features as detectors see them: bent so that sizes compare by factors, and scaled robustly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cohortlab.scaling import Scaling

#: What may be done to a feature before it is scaled.
CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda values: values,
    "log1p": np.log1p,
    "log": np.log,
}


@dataclass(frozen=True)
class Preparation:
    """
    How features become rows of numbers, learnt once and then only applied.

    Attributes
    ----------
    curves : dict of str to str
        The features that are used, and the curve of each, a key of `CURVES`.
    scaling : Scaling
        Fitted to the bent features.
    """

    curves: dict[str, str]
    scaling: Scaling

    def apply(self, features: pd.DataFrame) -> np.ndarray:
        """Turn features into rows of numbers, learning nothing from them.

        Parameters
        ----------
        features : pandas.DataFrame
            The features, finite.

        Returns
        -------
        ndarray of shape (n_rows, n_features)
            Rows.
        """
        return self.scaling.transform(_bent(features, self.curves))

    def apply_where_possible(self, features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Turn those features into rows for which every curve has a number; zero has no logarithm.

        Parameters
        ----------
        features : pandas.DataFrame
            As for `apply`, which refuses all of them where one has no number.

        Returns
        -------
        rows : ndarray of shape (n_accepted, n_features)
            What `apply` gives of them.
        accepted : ndarray of bool, shape (n_rows,)
            Whose rows they are.
        """
        bent = _on_curves(features, self.curves)
        accepted = np.isfinite(bent.to_numpy()).all(axis=1)
        return self.scaling.transform(bent[accepted]), accepted


def learn_preparation(
    features: pd.DataFrame, curves: Mapping[str, str], *, scaling: str = "robust"
) -> Preparation:
    """Learn how features become rows of numbers.

    Parameters
    ----------
    features : pandas.DataFrame
        Features of the flows that detectors are trained on, finite.
    curves : mapping of str to str
        Features to use and the curve of each; those that the log does not give are left out.
    scaling : str, default 'robust'
        A key of `cohortlab.scaling.SCALINGS`.

    Returns
    -------
    Preparation
        To be applied to these flows and to later ones.

    Raises
    ------
    ValueError
        If no feature is left, a curve is unknown, or a value has no logarithm.
    """
    unknown = [f"{name}: {curve}" for name, curve in curves.items() if curve not in CURVES]
    if unknown:
        raise ValueError(f"unknown curves {unknown}: choose of {list(CURVES)}")
    used = {name: curve for name, curve in curves.items() if name in features}
    if not used:
        raise ValueError(f"none of {list(curves)} is a feature; there are: {list(features)}")
    return Preparation(used, Scaling(scaling).fit(_bent(features, used)))


def _bent(features: pd.DataFrame, curves: Mapping[str, str]) -> pd.DataFrame:
    missing = [name for name in curves if name not in features]
    if missing:
        raise ValueError(f"features {missing} are missing: the training had {list(curves)}")
    bent = _on_curves(features, curves)
    for name, values in bent.items():
        if not np.isfinite(values).all():
            raise ValueError(
                f"feature {name} has a value without a {curves[name]}: "
                f"{features[name].to_numpy(float)[~np.isfinite(values)][0]}; choose another curve"
            )
    return bent


def _on_curves(features: pd.DataFrame, curves: Mapping[str, str]) -> pd.DataFrame:
    with np.errstate(divide="ignore", invalid="ignore"):
        bent = {n: CURVES[curve](features[n].to_numpy(float)) for n, curve in curves.items()}
    return pd.DataFrame(bent)
