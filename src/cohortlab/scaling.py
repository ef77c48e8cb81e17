"""Named scalings of feature columns, with stored parameters that scoring never refits."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted


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


def _signed_log1p(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.log1p(np.abs(values))


#: Scaling name -> (which columns take a logarithm, centre and scale of a column).
SCALINGS = {
    "none": ("no", _no_scaling),
    "standard": ("no", _standard),
    "robust": ("no", _robust),
    "minmax": ("no", _minmax),
    "log1p_standard": ("non-negative", _standard),
    "signed_log1p_standard": ("all", _standard),
}


class Scaling(TransformerMixin, BaseEstimator):
    """Scale columns by a named method and keep every parameter that scoring needs.

    Parameters
    ----------
    method : {'none', 'standard', 'robust', 'minmax', 'log1p_standard', 'signed_log1p_standard'}
        `standard` subtracts the mean and divides by the standard deviation; `robust` takes the
        median and the interquartile range; `minmax` maps the range to 0..1; `log1p_standard`
        first takes log(1 + x) of the columns without negative values; `signed_log1p_standard`
        takes sign(x) log(1 + |x|) of every column.

    Attributes
    ----------
    columns_ : list of str
        Names of the columns seen while fitting, in order.
    centre_, scale_ : ndarray of shape (n_features,)
        What is subtracted and divided by, after the logarithm.
    logged_ : ndarray of bool, shape (n_features,)
        Which columns take the logarithm.
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
        logarithm, rule = SCALINGS[self.method]
        every = np.ones(values.shape[1], dtype=bool)
        self.logged_ = {"no": ~every, "non-negative": (values >= 0).all(axis=0), "all": every}[
            logarithm
        ]
        values = self._logarithm(values)
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
        return (self._logarithm(values) - self.centre_) / self.scale_

    def inverse_transform(self, X: np.ndarray) -> np.ndarray:
        """Return scaled values, such as cluster centres, to the units of the features."""
        check_is_fitted(self, "scale_")
        values = np.asarray(X, dtype=float) * self.scale_ + self.centre_
        logged = values[:, self.logged_]
        values[:, self.logged_] = np.sign(logged) * np.expm1(np.abs(logged))
        return values

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
            "logged": [bool(flag) for flag in self.logged_],
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
        scaling.logged_ = np.asarray(parameters["logged"], dtype=bool)
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

    def _logarithm(self, values: np.ndarray) -> np.ndarray:
        if SCALINGS[self.method][0] == "non-negative":
            negative = (values < 0) & self.logged_
            if negative.any():
                row, column = np.argwhere(negative)[0]
                raise ValueError(
                    f"column {self.columns_[column]!r} holds {values[row, column]} in row {row}, "
                    "but its logarithm was chosen because it had no negative value when fitted: "
                    "use 'signed_log1p_standard', or fit again"
                )
        return np.where(self.logged_, _signed_log1p(values), values)

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
