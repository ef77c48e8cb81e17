"""Checks of what users pass in, with errors that say what to try."""

import warnings
from numbers import Integral

import numpy as np
import pandas as pd

from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.fitting import Fit
from cohortlab.mixture.iterate import EMPTY
from cohortlab.mixture.readings import say_size

_LARGEST_VALUE = 1e150


def check_weights(sample_weight, X: np.ndarray) -> np.ndarray | None:
    """Return weights as float64, or None where none are given.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), scalar or None
        Weights.
    X : ndarray of shape (n_samples, ...)
        Rows they belong to.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        Weights.

    Raises
    ------
    ValueError
        If the shape is wrong, a weight is no number, negative or not finite, or all are zero.
    """
    if sample_weight is None:
        return None
    weight = _as_weights(sample_weight)
    if weight.ndim == 0:
        weight = np.full(len(X), float(weight))
    if weight.shape != (len(X),):
        raise ValueError(
            f"sample_weight.shape == {weight.shape}, expected {(len(X),)}: one weight a row."
        )
    bad = np.flatnonzero(~np.isfinite(weight) | (weight < 0))
    if bad.size:
        raise ValueError(
            f"sample_weight[{bad[0]}] is {weight[bad[0]]}; expected finite weights of zero or more."
        )
    if not weight.any():
        raise ValueError("sample_weight is zero for every row; at least one must be positive.")
    with np.errstate(over="ignore"):
        total = weight.sum()
    if not np.isfinite(total):
        raise ValueError("sample_weight has no finite sum; divide the weights by their mean.")
    return weight


def _as_weights(sample_weight) -> np.ndarray:
    given = np.asarray(sample_weight)
    try:
        if np.iscomplexobj(given):
            raise TypeError
        return given.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"sample_weight holds {given.dtype}; expected numbers of zero or more, one a row."
        ) from None


def held_rows(weight: np.ndarray | None, n_samples: int) -> np.ndarray:
    """Mark the rows that have weight.

    Parameters
    ----------
    weight : ndarray of shape (n_samples,) or None
        From `check_weights`.
    n_samples : int
        Number of rows.

    Returns
    -------
    ndarray of shape (n_samples,)
        All true where no weights are given.
    """
    return np.ones(n_samples, dtype=bool) if weight is None else weight > 0


def check_size(X: np.ndarray, n_components: int) -> None:
    """Raise where there are too few rows, or values whose squares are no floats.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows to fit.
    n_components : int
        Number of components.

    Raises
    ------
    ValueError
        If there are fewer rows than components, or the values of a column are too large or, all of
        them, too small to be squared.
    """
    if len(X) < n_components:
        raise ValueError(
            f"n_components={n_components} needs at least as many rows, but n_samples={len(X)}; "
            "decrease n_components."
        )
    check_values(X)
    largest = np.abs(X).max(axis=0)
    tiny = np.flatnonzero((largest > 0) & (largest < 1 / _LARGEST_VALUE))
    if tiny.size:
        raise ValueError(
            f"Column {tiny[0]} reaches no more than {largest[tiny[0]]:.3g}, whose square is too "
            "small for a float; scale the input."
        )


def check_values(X: np.ndarray) -> None:
    """Raise where a value is missing, not finite, or so large that its square overflows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows to fit or to score.

    Raises
    ------
    ValueError
        Naming the column.
    """
    largest = np.abs(X).max(axis=0)
    if not np.isfinite(largest).all():
        column = int(np.flatnonzero(~np.isfinite(largest))[0])
        kind = "NaN" if np.isnan(largest[column]) else "infinity (inf)"
        number = int((~np.isfinite(X[:, column])).sum())
        raise ValueError(
            f"Column {column} holds {kind} or its like in {say_size(number, 'row')}; expected "
            "finite numbers. Drop these rows, give them weight zero, or fill in what is missing."
        )
    if (largest > _LARGEST_VALUE).any():
        column = int(largest.argmax())
        raise ValueError(
            f"Column {column} reaches {largest[column]:.3g}, whose square is too large for a "
            "float; scale the input."
        )


def check_distinct(rows: Rows, n_components: int) -> None:
    """Raise where there are fewer distinct rows than components.

    Parameters
    ----------
    rows : Rows
        Distinct rows of positive weight.
    n_components : int
        Number of components.

    Raises
    ------
    ValueError
        Saying how many distinct rows there are.
    """
    if rows.n_distinct < n_components:
        raise ValueError(
            f"n_components={n_components}, but the data have only "
            f"{say_size(rows.n_distinct, 'distinct row')} of positive weight; decrease "
            "n_components."
        )


def check_responsibilities(
    responsibilities, n_samples: int, n_components: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return responsibilities as shares, and what the components are called.

    Parameters
    ----------
    responsibilities : array-like of shape (n_samples,) or (n_samples, n_components)
        Component numbers, names of classes, or shares.
    n_samples, n_components : int
        Expected size.

    Returns
    -------
    shares : ndarray of shape (n_samples, n_components)
        They sum to one in each row.
    classes : ndarray of shape (n_components,) or None
        Sorted names, one a component, where names were given.

    Raises
    ------
    ValueError
        If the shape, a label, the number of names or a share is wrong.
    """
    given, classes = np.asarray(responsibilities), None
    if given.ndim == 1 and given.dtype.kind not in "biuf":
        given, classes = _number_names(given, n_components)
    if given.shape == (n_samples,):
        return _check_numbers(given, n_components), classes
    if given.shape != (n_samples, n_components) or given.dtype.kind not in "biuf":
        raise ValueError(
            f"responsibilities of shape {given.shape} and type {given.dtype}; expected "
            f"({n_samples},) component numbers or names, or ({n_samples}, {n_components}) shares."
        )
    return check_shares(given.astype(np.float64)), None


def _number_names(given: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Give named classes numbers in the order of their names; whole numbers stay."""
    missing = np.flatnonzero(pd.isna(given))
    if missing.size:
        raise ValueError(
            f"responsibilities[{missing[0]}] is missing; leave rows of unknown class out of X."
        )
    if all(isinstance(label, Integral) for label in given):
        return given.astype(np.int64), None
    classes, numbers = np.unique(given.astype(str), return_inverse=True)
    if len(classes) != n_components:
        raise ValueError(
            f"responsibilities hold {say_size(len(classes), 'name')}, {', '.join(classes[:5])}, "
            f"but n_components={n_components}; expected as many of both."
        )
    return numbers, classes


def _check_numbers(given: np.ndarray, n_components: int) -> np.ndarray:
    if not (given == np.floor(given)).all():
        raise ValueError(
            "responsibilities of shape (n_samples,) must be component numbers or names; "
            "pass shares as (n_samples, n_components)."
        )
    wrong = np.flatnonzero((given < 0) | (given >= n_components))
    if wrong.size:
        raise ValueError(
            f"responsibilities[{wrong[0]}] is {given[wrong[0]]}; expected component numbers "
            f"from 0 to {n_components - 1}. For classes with other numbers pass names, "
            "labels.astype(str)."
        )
    return (given[:, None] == np.arange(n_components)).astype(np.float64)


def check_shares(shares: np.ndarray) -> np.ndarray:
    """Return shares as they came, if they are shares.

    Parameters
    ----------
    shares : ndarray of shape (n_samples, n_components)
        They sum to one in each row.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        The same.

    Raises
    ------
    ValueError
        Naming the first row that is missing, negative or sums to something else.
    """
    wrong = np.flatnonzero(~((shares >= 0).all(axis=1) & (abs(shares.sum(axis=1) - 1) < 1e-6)))
    if wrong.size:
        raise ValueError(
            f"responsibilities[{wrong[0]}] is {shares[wrong[0]].tolist()}; expected shares of zero "
            "or more that sum to one."
        )
    return shares


def explain_failure(fit: Fit, n_components: int, name: str) -> None:
    """Raise where no start led to a fit, saying why and what to try.

    Parameters
    ----------
    fit : Fit
        The best of the starts, with the reasons of those that failed.
    n_components : int
        Number of components.
    name : str
        Covariance model.

    Raises
    ------
    ValueError
        If no start has a finite log-likelihood.
    """
    if np.isfinite(fit.run.loglik):
        return
    reasons = sorted(set(fit.failures))
    advice = "decrease n_components, increase reg_covar, or scale the input"
    if reasons == [EMPTY]:
        advice = "decrease n_components, or try another init or a larger n_init"
    raise ValueError(
        f"No fit of {say_size(n_components)} with model {name}: {' and '.join(reasons)} in "
        f"{len(fit.failures)} of {say_size(fit.n_starts, 'start')}; {advice}. A constant "
        "column, or more features than rows in a component, makes a covariance singular."
    )


def warn_if_swamped(rows: Rows, reg_covar: float) -> None:
    """Warn where regularisation exceeds the variance of a feature that varies.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows.
    reg_covar : float
        What is added to every variance, in squared units of the data.
    """
    variance = rows.scatter(diagonal=True) / rows.total_weight
    scale = np.maximum(np.abs(rows.centre), np.finfo(float).tiny)
    swamped = (variance < reg_covar) & (np.sqrt(variance) > 1e-14 * scale) & (variance > 0)
    if swamped.any():
        column = int(np.flatnonzero(swamped)[0])
        warnings.warn(
            f"reg_covar={reg_covar:g} exceeds the variance {variance[column]:.3g} of column "
            f"{column} and hides its structure; scale the input or decrease reg_covar.",
            UserWarning,
            stacklevel=3,
        )


def warn_if_scaled(weight: np.ndarray | None) -> None:
    """Warn where weights cannot be numbers of rows: BIC takes their sum for the number of rows.

    Whole numbers are counts. Others are taken for numbers of rows too, if their sum is within a
    factor of two of the number of rows that have any.

    Parameters
    ----------
    weight : ndarray of shape (n_samples,) or None
        Non-negative weights.
    """
    if weight is None or (weight == np.floor(weight)).all():
        return
    total, n_rows = float(weight.sum()), int((weight > 0).sum())
    if n_rows / 2 <= total <= 2 * n_rows:
        return
    warnings.warn(
        f"sample_weight sums to {total:.6g} over {n_rows} rows of positive weight, and BIC takes "
        "that sum for the number of rows; if the weights are shares, pass w * n / w.sum() with n "
        "the number of rows.",
        UserWarning,
        stacklevel=3,
    )


def warn_if_labels(y, n_components: int) -> None:
    """Warn where a `y` that is ignored looks like a partition meant for `responsibilities`.

    Pipelines hand every step the target, so silence is the rule. A target of exactly as many
    different values as components, two or more, is taken for a partition all the same, and one of
    finite fractions, none below zero, for weights.

    Parameters
    ----------
    y : array-like or None
        What `fit` got.
    n_components : int
        Number of components.
    """
    labels = np.asarray(y)
    if labels.ndim != 1:
        return
    if n_components < 2 or len(pd.unique(labels)) != n_components:
        if labels.dtype.kind == "f" and _may_be_weights(labels):
            warnings.warn(
                "y is ignored, and holds fractions, none below zero; if these are weights, pass "
                "fit(X, sample_weight=w).",
                UserWarning,
                stacklevel=4,
            )
        return
    warnings.warn(
        f"y is ignored, and has {n_components} different values for {n_components} components; if "
        "it is the partition to fit, pass fit(X, responsibilities=y).",
        UserWarning,
        stacklevel=4,
    )


def _may_be_weights(y: np.ndarray) -> bool:
    fractions = np.isfinite(y).all() and (y != np.floor(y)).any()
    return bool(fractions and (y >= 0).all())


def seed_from(random_state) -> np.random.SeedSequence:
    """Make a seed from whatever scikit-learn users pass.

    Parameters
    ----------
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None
        An integer always gives the same seed; a generator gives its next one; None a fresh one.

    Returns
    -------
    numpy.random.SeedSequence
        The seed.
    """
    if random_state is None:
        return np.random.SeedSequence()
    if isinstance(random_state, np.random.Generator):
        return np.random.SeedSequence(int(random_state.integers(2**63)))
    if isinstance(random_state, np.random.RandomState):
        return np.random.SeedSequence(int(random_state.randint(2**31 - 1)))
    return np.random.SeedSequence(int(random_state))
