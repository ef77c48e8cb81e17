"""Distributions of one feature: their checks, quantiles, densities and how they spread."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import ndtr, ndtri, pdtr, pdtrik

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_shares

Parameters = Mapping[str, object]


@dataclass(frozen=True)
class Law:
    """A distribution of one feature.

    Attributes
    ----------
    keys : tuple of str
        Names of its parameters, in the order of a plain list.
    check : callable
        ``check(parameters, where)`` raises ValueError for impossible ones.
    quantile : callable
        ``quantile(u, parameters)``: values at the shares ``u``, each in (0, 1).
    log_density : callable
        ``log_density(values, parameters)``: of each value; -inf where impossible.
    below : callable or None
        ``below(values, parameters)``: distribution function; None where it has jumps.
    spread : callable or None
        ``spread(parameters, factor)``: parameters of the same centre and ``factor`` times the
        width; None where width and centre cannot be told apart.
    """

    keys: tuple[str, ...]
    check: Callable[[Parameters, str], None]
    quantile: Callable[[np.ndarray, Parameters], np.ndarray]
    log_density: Callable[[np.ndarray, Parameters], np.ndarray]
    below: Callable[[np.ndarray, Parameters], np.ndarray] | None = None
    spread: Callable[[Parameters, float], Parameters] | None = None


def _check_uniform(block: Parameters, where: str) -> None:
    check_number(block["low"], where=f"{where}.low", low=-np.inf)
    check_number(block["high"], where=f"{where}.high", low=block["low"])


def _uniform_quantile(u: np.ndarray, block: Parameters) -> np.ndarray:
    return block["low"] + (block["high"] - block["low"]) * u


def _uniform_density(values: np.ndarray, block: Parameters) -> np.ndarray:
    width = block["high"] - block["low"]
    inside = (values >= block["low"]) & (values <= block["high"])
    return np.where(inside, -np.log(width) if width > 0 else 0.0, -np.inf)


def _uniform_below(values: np.ndarray, block: Parameters) -> np.ndarray:
    width = block["high"] - block["low"]
    share = (values - block["low"]) / width if width > 0 else np.full(len(values), 0.5)
    return np.clip(share, 0.0, 1.0)


def _spread_uniform(block: Parameters, factor: float) -> Parameters:
    middle, half = (block["low"] + block["high"]) / 2, (block["high"] - block["low"]) / 2
    return {"low": middle - factor * half, "high": middle + factor * half}


def _check_integers(block: Parameters, where: str) -> None:
    check_number(block["low"], where=f"{where}.low", low=-np.inf, whole=True)
    check_number(block["high"], where=f"{where}.high", low=block["low"], whole=True)


def _integers_quantile(u: np.ndarray, block: Parameters) -> np.ndarray:
    n_values = block["high"] - block["low"] + 1
    return block["low"] + np.ceil(u * n_values) - 1


def _integers_density(values: np.ndarray, block: Parameters) -> np.ndarray:
    possible = (values == np.round(values)) & (values >= block["low"]) & (values <= block["high"])
    return np.where(possible, -np.log(block["high"] - block["low"] + 1), -np.inf)


def _check_normal(block: Parameters, where: str) -> None:
    check_number(block["mean"], where=f"{where}.mean", low=-np.inf)
    check_number(block["deviation"], where=f"{where}.deviation", low=np.finfo(float).tiny)


def _normal_below(values: np.ndarray, block: Parameters) -> np.ndarray:
    return ndtr((values - block["mean"]) / block["deviation"])


def _spread_normal(block: Parameters, factor: float) -> Parameters:
    return {"mean": block["mean"], "deviation": factor * block["deviation"]}


def _check_lognormal(block: Parameters, where: str) -> None:
    check_number(block["median"], where=f"{where}.median", low=np.finfo(float).tiny)
    check_number(block["spread"], where=f"{where}.spread", low=np.finfo(float).tiny)


def _lognormal_density(values: np.ndarray, block: Parameters) -> np.ndarray:
    return stats.lognorm.logpdf(values, block["spread"], scale=block["median"])


def _lognormal_below(values: np.ndarray, block: Parameters) -> np.ndarray:
    return stats.lognorm.cdf(values, block["spread"], scale=block["median"])


def _spread_lognormal(block: Parameters, factor: float) -> Parameters:
    return {"median": block["median"], "spread": factor * block["spread"]}


def _poisson_quantile(u: np.ndarray, block: Parameters) -> np.ndarray:
    mean = float(block["mean"])
    if mean == 0:
        return np.zeros(len(u))
    guess = np.maximum(np.ceil(pdtrik(u, mean)), 0.0)
    # The inverse is continuous; rounding may leave it one step too high.
    lower = np.maximum(guess - 1, 0.0)
    return np.where(pdtr(lower, mean) >= u, lower, guess)


def _poisson_density(values: np.ndarray, block: Parameters) -> np.ndarray:
    return stats.poisson.logpmf(values, block["mean"])


def _check_categorical(block: Parameters, where: str) -> None:
    check_shares(block["shares"], where=f"{where}.shares")


def _categorical_quantile(u: np.ndarray, block: Parameters) -> np.ndarray:
    values = np.asarray(list(block["shares"]), dtype=object)
    cumulative = np.cumsum(np.asarray(list(block["shares"].values()), dtype=float))
    return values[np.searchsorted(cumulative[:-1], u, side="left")]


def _categorical_density(values: np.ndarray, block: Parameters) -> np.ndarray:
    shares = np.array([float(block["shares"].get(value, 0.0)) for value in values])
    return np.log(shares, out=np.full(len(shares), -np.inf), where=shares > 0)


def _check_constant(block: Parameters, where: str) -> None:
    if isinstance(block["value"], str):
        return
    check_number(block["value"], where=f"{where}.value", low=-np.inf)


def _constant_quantile(u: np.ndarray, block: Parameters) -> np.ndarray:
    kind = object if isinstance(block["value"], str) else float
    return np.full(len(u), block["value"], dtype=kind)


def _constant_density(values: np.ndarray, block: Parameters) -> np.ndarray:
    return np.where(np.asarray(values == block["value"], dtype=bool), 0.0, -np.inf)


#: The distributions by name.
LAWS = {
    "uniform": Law(
        ("low", "high"),
        _check_uniform,
        _uniform_quantile,
        _uniform_density,
        _uniform_below,
        _spread_uniform,
    ),
    "integers": Law(("low", "high"), _check_integers, _integers_quantile, _integers_density),
    "normal": Law(
        ("mean", "deviation"),
        _check_normal,
        lambda u, block: block["mean"] + block["deviation"] * ndtri(u),
        lambda values, block: stats.norm.logpdf(values, block["mean"], block["deviation"]),
        _normal_below,
        _spread_normal,
    ),
    "lognormal": Law(
        ("median", "spread"),
        _check_lognormal,
        lambda u, block: block["median"] * np.exp(block["spread"] * ndtri(u)),
        _lognormal_density,
        _lognormal_below,
        _spread_lognormal,
    ),
    "poisson": Law(
        ("mean",),
        lambda block, where: check_number(block["mean"], where=f"{where}.mean", low=0),
        _poisson_quantile,
        _poisson_density,
    ),
    "categorical": Law(
        ("shares",), _check_categorical, _categorical_quantile, _categorical_density
    ),
    "constant": Law(("value",), _check_constant, _constant_quantile, _constant_density),
}


def is_point(law: Law, block: Parameters) -> bool:
    """Whether a law puts everything on one value.

    Parameters
    ----------
    law : Law
        One of `LAWS`, or a law of one's own.
    block : mapping
        Its parameters.

    Returns
    -------
    bool
        True for constants and for ranges of one value.
    """
    if "value" in block:
        return True
    return law in (LAWS["uniform"], LAWS["integers"]) and block["low"] == block["high"]
