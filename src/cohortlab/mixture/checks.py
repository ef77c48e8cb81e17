"""Checks of what users pass in, with errors that say what to try."""

import warnings

import numpy as np

from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.fitting import Fit
from cohortlab.mixture.iterate import EMPTY

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
        If the shape is wrong, or a weight is negative or not finite, or all are zero.
    """
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
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
    return weight


def check_size(X: np.ndarray, n_components: int) -> None:
    """Raise where there are fewer rows than components, or values whose squares overflow."""
    if len(X) < n_components:
        raise ValueError(
            f"n_components={n_components} needs at least as many rows, but n_samples={len(X)}; "
            "decrease n_components."
        )
    check_values(X)


def check_values(X: np.ndarray) -> None:
    """Raise where a value is so large that its square overflows."""
    largest = np.abs(X).max(axis=0)
    if (largest > _LARGEST_VALUE).any():
        column = int(largest.argmax())
        raise ValueError(
            f"Column {column} reaches {largest[column]:.3g}, whose square is too large for a "
            "float; scale the input."
        )


def check_distinct(rows: Rows, n_components: int) -> None:
    """Raise where there are fewer distinct rows than components."""
    if rows.n_distinct < n_components:
        raise ValueError(
            f"n_components={n_components}, but the data have only {rows.n_distinct} distinct rows "
            "of positive weight; decrease n_components."
        )


def check_responsibilities(responsibilities, n_samples: int, n_components: int) -> np.ndarray:
    """Return responsibilities as shares.

    Parameters
    ----------
    responsibilities : array-like of shape (n_samples,) or (n_samples, n_components)
        Component numbers or shares.
    n_samples, n_components : int
        Expected size.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Shares that sum to one in each row.

    Raises
    ------
    ValueError
        If the shape, a label or a share is wrong.
    """
    given = np.asarray(responsibilities)
    if given.shape == (n_samples,):
        if not np.issubdtype(given.dtype, np.integer) and not (given == np.floor(given)).all():
            raise ValueError(
                "responsibilities of shape (n_samples,) must be component numbers; "
                "pass shares as (n_samples, n_components)."
            )
        wrong = np.flatnonzero((given < 0) | (given >= n_components))
        if wrong.size:
            raise ValueError(
                f"responsibilities[{wrong[0]}] is {given[wrong[0]]}; expected component numbers "
                f"from 0 to {n_components - 1}."
            )
        return (given[:, None] == np.arange(n_components)).astype(np.float64)
    if given.shape != (n_samples, n_components):
        raise ValueError(
            f"responsibilities.shape == {given.shape}; expected ({n_samples},) component numbers "
            f"or ({n_samples}, {n_components}) shares."
        )
    shares = given.astype(np.float64)
    wrong = np.flatnonzero(~((shares >= 0).all(axis=1) & (abs(shares.sum(axis=1) - 1) < 1e-6)))
    if wrong.size:
        raise ValueError(
            f"responsibilities[{wrong[0]}] is {shares[wrong[0]].tolist()}; expected shares of zero "
            "or more that sum to one."
        )
    return shares


def explain_failure(fit: Fit, n_components: int, name: str) -> None:
    """Raise where no start led to a fit, saying why and what to try."""
    if np.isfinite(fit.run.loglik):
        return
    reasons = sorted(set(fit.failures))
    advice = "decrease n_components, increase reg_covar, or scale the input"
    if reasons == [EMPTY]:
        advice = "decrease n_components, or try another init or a larger n_init"
    raise ValueError(
        f"No fit of {n_components} components with model {name}: {' and '.join(reasons)} in "
        f"{len(fit.failures)} of {fit.n_starts} starts; {advice}. A constant column, or more "
        "features than rows in a component, makes a covariance singular."
    )


def warn_if_swamped(rows: Rows, reg_covar: float) -> None:
    """Warn where regularisation exceeds the variance of a feature that varies."""
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
