"""Named scalings of feature columns, with stored parameters that scoring never refits."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from cohortlab.curves import CURVES


def _no_scaling(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(values.shape[1]), np.ones(values.shape[1])


def _standard(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values.mean(axis=0), values.std(axis=0)


def _robust(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lower, middle, upper = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    return middle, upper - lower


def _minmax(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lowest = values.min(axis=0)
    return lowest, values.max(axis=0) - lowest


#: Scaling name -> (curve that bends a column first, centre and scale of what comes out).
SCALINGS = {
    "none": ("none", _no_scaling),
    "standard": ("none", _standard),
    "robust": ("none", _robust),
    "minmax": ("none", _minmax),
    "log1p_standard": ("log1p", _standard),
    "signed_log1p_standard": ("log1p", _standard),
    "yeo_johnson_standard": ("yeo_johnson", _standard),
    "rank_standard": ("rank", _standard),
}
#: The scaling that leaves columns with negative values unbent.
_ONLY_NON_NEGATIVE = "log1p_standard"


class Scaling(TransformerMixin, BaseEstimator):
    """Scale columns by a named method and keep every parameter that scoring needs.

    Parameters
    ----------
    method : str, default 'standard'
        One of `SCALINGS`. `standard` subtracts the mean and divides by the standard deviation;
        `robust` takes the median and the interquartile range; `minmax` maps the range to 0..1.
        The others bend columns first: `log1p_standard` takes log(1 + x) of the columns without
        negative values, `signed_log1p_standard` ``sign(x) log(1 + |x|)`` of every column,
        `yeo_johnson_standard` the power that makes a column most nearly normal, and
        `rank_standard` the normal score of its rank, whatever its distribution.

    Attributes
    ----------
    columns_ : list of str
        Names of the columns seen while fitting, in order.
    centre_, scale_ : ndarray of shape (n_features,)
        What is subtracted and divided by, after the curve.
    curves_ : list of str
        The curve that bends each column, a key of `cohortlab.curves.CURVES`.
    learnt_ : list of list of float
        The numbers that each curve needs.
    constant_ : list of str
        Columns with a single value: their scale is 1, so they become a column of zeros (except
        under `none`) and tell no clustering anything.
    fallback_ : list of str
        Columns that vary although the method's own scale is zero (more than half of the values
        equal under `robust`): the standard deviation is used for them.

    Examples
    --------
    >>> import numpy as np
    >>> Scaling("minmax").fit_transform(np.array([[0.0], [5.0], [10.0]])).ravel().tolist()
    [0.0, 0.5, 1.0]
    """

    def __init__(self, method: str = "standard"):
        self.method = method

    def fit(self, X: Any, y: Any = None) -> "Scaling":
        """Learn centre and scale of every column.

        Parameters
        ----------
        X : DataFrame or array of shape (n_rows, n_features)
            Finite numbers.
        y : ignored
            Present for scikit-learn's sake.

        Returns
        -------
        Scaling
            The fitted object itself.

        Raises
        ------
        ValueError
            If the method is unknown, the table is empty, or a value is missing or infinite.
        """
        if self.method not in SCALINGS:
            raise ValueError(f"unknown scaling {self.method!r}: choose one of {list(SCALINGS)}")
        values, self.columns_ = _as_matrix(X)
        if values.shape[0] == 0:
            raise ValueError("no row to learn a scaling from: check the table of features")
        self.n_features_in_ = values.shape[1]
        curve, rule = SCALINGS[self.method]
        self.curves_ = [curve] * values.shape[1]
        if self.method == _ONLY_NON_NEGATIVE:
            self.curves_ = [curve if low >= 0 else "none" for low in values.min(axis=0)]
        self.learnt_ = [
            CURVES[name].learn(column) for name, column in zip(self.curves_, values.T, strict=True)
        ]
        values = self._bent(values)
        self.centre_, scale = rule(values)
        self.scale_ = self._usable_scale(values, scale)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Apply the stored parameters, learning nothing from the new rows.

        Parameters
        ----------
        X : DataFrame or array of shape (n_rows, n_features)
            A frame must hold the fitted columns; they are taken by name, others are ignored.

        Returns
        -------
        ndarray of shape (n_rows, n_features)
            Scaled values.
        """
        check_is_fitted(self, "scale_")
        values = self._known_columns(X)
        return (self._bent(values) - self.centre_) / self.scale_

    def inverse_transform(self, X: np.ndarray) -> np.ndarray:
        """Return scaled values, such as cluster centres, to the units of the features."""
        check_is_fitted(self, "scale_")
        values = np.asarray(X, dtype=float) * self.scale_ + self.centre_
        return self._columnwise(values, "unbend")

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the scaled columns: those of the columns that came in."""
        check_is_fitted(self, "scale_")
        return np.asarray(self.columns_, dtype=object)

    def parameters(self) -> dict[str, Any]:
        """Everything that scoring needs, as plain values that JSON can hold."""
        check_is_fitted(self, "scale_")
        return {
            "method": self.method,
            "columns": list(self.columns_),
            "curves": list(self.curves_),
            "learnt": [list(numbers) for numbers in self.learnt_],
            "centre": [float(value) for value in self.centre_],
            "scale": [float(value) for value in self.scale_],
            "constant": list(self.constant_),
            "fallback": list(self.fallback_),
        }

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "Scaling":
        """Rebuild a fitted scaling from `parameters()`."""
        scaling = cls(parameters["method"])
        scaling.columns_ = list(parameters["columns"])
        scaling.n_features_in_ = len(scaling.columns_)
        scaling.curves_ = list(parameters["curves"])
        scaling.learnt_ = [list(numbers) for numbers in parameters["learnt"]]
        scaling.centre_ = np.asarray(parameters["centre"], dtype=float)
        scaling.scale_ = np.asarray(parameters["scale"], dtype=float)
        scaling.constant_ = list(parameters["constant"])
        scaling.fallback_ = list(parameters["fallback"])
        return scaling

    def save(self, path: Path | str) -> None:
        """Write `parameters()` as JSON."""
        Path(path).write_text(json.dumps(self.parameters(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path | str) -> "Scaling":
        """Read what `save` wrote."""
        return cls.from_parameters(json.loads(Path(path).read_text(encoding="utf-8")))

    def _usable_scale(self, values: np.ndarray, scale: np.ndarray) -> np.ndarray:
        constant = values.min(axis=0) == values.max(axis=0)
        # A scale that is only rounding error of a large mean would blow a constant column up.
        zero = (scale <= 0) & ~constant
        names = np.asarray(self.columns_, dtype=object)
        self.constant_, self.fallback_ = list(names[constant]), list(names[zero])
        scale = np.where(zero, values.std(axis=0), scale)
        if self.method != "none":
            self.centre_ = np.where(constant, values[0], self.centre_)
        return np.where(constant, 1.0, scale)

    def _bent(self, values: np.ndarray) -> np.ndarray:
        if self.method == _ONLY_NON_NEGATIVE:
            bent = np.array([name != "none" for name in self.curves_])
            negative = (values < 0) & bent
            if negative.any():
                row, column = np.argwhere(negative)[0]
                raise ValueError(
                    f"column {self.columns_[column]!r} holds {values[row, column]} in row {row}, "
                    "but its logarithm was chosen because it had no negative value when fitted: "
                    "use 'signed_log1p_standard', or fit again"
                )
        return self._columnwise(values, "bend")

    def _columnwise(self, values: np.ndarray, what: str) -> np.ndarray:
        columns = [
            getattr(CURVES[name], what)(column, learnt)
            for name, learnt, column in zip(self.curves_, self.learnt_, values.T, strict=True)
        ]
        return np.stack(columns, axis=1)

    def _known_columns(self, X: Any) -> np.ndarray:
        if isinstance(X, pd.DataFrame):
            missing = [name for name in self.columns_ if name not in X.columns]
            if missing:
                raise ValueError(
                    f"columns {missing} are missing: the scaling was fitted on {self.columns_}"
                )
            X = X[self.columns_]
        values, _ = _as_matrix(X)
        if values.shape[1] != len(self.columns_):
            raise ValueError(
                f"expected {len(self.columns_)} columns {self.columns_}, got {values.shape[1]}"
            )
        return values


def _as_matrix(X: Any) -> tuple[np.ndarray, list[str]]:
    values = np.asarray(X, dtype=float)
    if values.ndim != 2:
        raise ValueError(
            f"expected a table of rows and columns, got an array of {values.ndim} axes"
        )
    names = list(X.columns) if isinstance(X, pd.DataFrame) else None
    names = [str(name) for name in names or (f"x{i}" for i in range(values.shape[1]))]
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"column {names[column]!r} holds {values[row, column]} in row {row} "
            f"({int(bad.sum())} such values in all): fill or drop them before scaling"
        )
    return values, names
