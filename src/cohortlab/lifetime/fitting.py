"""Maximum likelihood over positive parameters, from several starts, with standard errors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from cohortlab.threads import one_thread

#: How far a parameter may go from its scale, on either side.
SPAN = 1e5
_HESSIAN_STEP = 1e-4
#: Standard error of a logarithm from which on a parameter is as good as unknown.
_LOOSE = 1.0
#: How far apart, in log-likelihood, two starts may end and still count as one optimum.
_SAME_OPTIMUM = 1e-3

Likelihood = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Fit:
    """A fitted model and how far to trust it.

    Attributes
    ----------
    model : object
        The model, with the parameters as attributes.
    table : pandas.DataFrame
        Indexed by parameter: `estimate, error, low, high`; the standard error and the 95 %
        interval come from the curvature of the likelihood in the logarithm of the parameter, and
        are NaN where it gives none.
    log_likelihood : float
        At the optimum, summed over customers.
    n_customers : int
        Customers who went in.
    starts : pandas.DataFrame
        One row a start: `log_likelihood` and `converged`.
    notes : tuple of str
        What speaks against the fit; empty where nothing does.
    """

    model: Any
    table: pd.DataFrame
    log_likelihood: float
    n_customers: int
    starts: pd.DataFrame
    notes: tuple[str, ...]


def maximise(
    likelihood: Likelihood,
    make: Callable[..., Any],
    scales: Mapping[str, float],
    starts: Sequence[Sequence[float]],
    *,
    n_customers: int,
) -> Fit:
    """Find the parameters of highest likelihood.

    Parameters
    ----------
    likelihood : callable
        Takes the parameters, returns the log-likelihood and its gradient by them.
    make : callable
        Makes the model of parameters by name.
    scales : mapping of str to float
        Parameter and its natural scale; it is looked for within 1e5 times of it.
    starts : sequence of sequence of float
        Where to begin, in units of the scales.
    n_customers : int
        Customers behind the likelihood.

    Returns
    -------
    Fit
        The best end of all starts.

    Notes
    -----
    Quasi-Newton steps on logarithms of parameters (L-BFGS-B), so they stay positive. Standard
    errors invert the observed information, from central differences of the gradient.
    """
    names, scale = list(scales), np.array(list(scales.values()), dtype=float)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        parameters = scale * np.exp(theta)
        value, gradient = likelihood(parameters)
        return -value / n_customers, -gradient * parameters / n_customers

    bounds = [(-np.log(SPAN), np.log(SPAN))] * len(names)
    options = {"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-8}
    # Matrices of four rows are no work to share: threads would only wait for one another.
    with one_thread("blas"):
        ends = [
            minimize(loss, np.log(s), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
            for s in starts
        ]
    best = min(ends, key=lambda end: end.fun)
    logliks = np.array([-end.fun * n_customers for end in ends])
    estimates = scale * np.exp(best.x)
    errors = _log_errors(loss, best.x) / np.sqrt(n_customers)
    table = pd.DataFrame(
        {
            "estimate": estimates,
            "error": estimates * errors,
            "low": estimates * np.exp(-1.96 * errors),
            "high": estimates * np.exp(1.96 * errors),
        },
        index=pd.Index(names, name="parameter"),
    )
    return Fit(
        model=make(**dict(zip(names, estimates.tolist(), strict=True))),
        table=table,
        log_likelihood=float(logliks.max()),
        n_customers=n_customers,
        starts=pd.DataFrame({"log_likelihood": logliks, "converged": [e.success for e in ends]}),
        notes=tuple(_notes(names, best.x, errors, logliks)),
    )


def _log_errors(loss: Likelihood, theta: np.ndarray) -> np.ndarray:
    """Give standard errors of the logarithms for one customer; NaN where there are none."""
    steps = np.eye(len(theta)) * _HESSIAN_STEP
    hessian = np.array([loss(theta + s)[1] - loss(theta - s)[1] for s in steps])
    hessian = (hessian + hessian.T) / (4 * _HESSIAN_STEP)
    values, axes = np.linalg.eigh(hessian)
    if values.min() <= 1e-10 * values.max():
        return np.full(len(theta), np.nan)
    return np.sqrt((axes**2 / values).sum(axis=1))


def _notes(names: list[str], theta: np.ndarray, errors: np.ndarray, logliks: np.ndarray):
    for name, value in zip(names, theta, strict=True):
        if abs(value) > 0.999 * np.log(SPAN):
            end = "infinity" if value > 0 else "zero"
            yield f"{name} runs to {end}: the data do not bound it"
    loose = [name for name, error in zip(names, errors, strict=True) if error > _LOOSE]
    if loose:
        yield f"the data hardly bound {' and '.join(loose)}: do not read them one by one"
    if np.isnan(errors).any():
        yield "the likelihood is flat in some direction: there are no standard errors"
    if (logliks.max() - logliks < _SAME_OPTIMUM).sum() < 2:
        yield "only one start reached the best optimum: there may be a better one"
