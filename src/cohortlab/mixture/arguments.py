"""Checks of the arguments of a search."""

from collections.abc import Iterable, Set
from numbers import Integral, Real

import numpy as np

from cohortlab.mixture.initial import METHODS
from cohortlab.mixture.models import canonical_name, default_models

CRITERIA = ("bic", "icl")
INITS = (*METHODS, "mixed")

_LEAST = {
    "n_init": (Integral, 1),
    "max_iter": (Integral, 0),
    "n_bootstrap": (Integral, 0),
    "n_stability": (Integral, 0),
    "audit_rows": (Integral, 2),
    "reg_covar": (Real, 0),
    "tol": (Real, 0),
    "time_budget_sec": (Real, 0),
}


def check_arguments(*, criterion: str, init: str, **numbers) -> None:
    """Raise where an argument of a search is wrong.

    Parameters
    ----------
    criterion, init : str
        Names.
    **numbers
        `n_init`, `max_iter`, `n_bootstrap`, `n_stability`, `audit_rows`, `reg_covar`, `tol` and
        `time_budget_sec`.

    Raises
    ------
    ValueError
        Naming the argument, what was expected and what arrived.
    """
    if criterion not in CRITERIA:
        raise ValueError(f"criterion={criterion!r}; expected 'bic' or 'icl'.")
    if init not in INITS:
        raise ValueError(f"init={init!r}; expected one of {', '.join(map(repr, INITS))}.")
    for name, value in numbers.items():
        kind, least = _LEAST[name]
        right = isinstance(value, kind) and not isinstance(value, (bool, np.bool_))
        if not right or not least <= value < np.inf:
            what = "a whole number" if kind is Integral else "a finite number"
            raise ValueError(f"{name}={value!r}; expected {what} of {least} or more.")


def plan_cells(
    n_components: int | Iterable[int], models: Iterable[str] | None, n_features: int
) -> list[tuple[int, str]]:
    """List the cells, all models of one size after another, so that they share their starts.

    Parameters
    ----------
    n_components : int or iterable of int
        Numbers of components.
    models : iterable of str or None
        Covariance models, in order; None for the default ones. Names of one model count once.
    n_features : int
        Number of features.

    Returns
    -------
    list of (int, str)
        Number of components and model, by its canonical name.

    Raises
    ------
    ValueError
        If a size is not a whole number of 1 or more, or a model is not known.
    """
    sizes = _sizes(n_components)
    names = _names(models, n_features)
    return [(size, name) for size in sizes for name in names]


def _names(models: Iterable[str] | None, n_features: int) -> list[str]:
    given = default_models(n_features) if models is None else models
    # A set of names comes in another order each time, and the order decides who starts from whom.
    ordered = isinstance(given, Iterable) and not isinstance(given, str | Set)
    given = list(given) if ordered else []
    if not given:
        raise ValueError(f"models={models!r}; expected a list of model names, such as ['VVV'].")
    return list(dict.fromkeys(canonical_name(model, n_features) for model in given))


def _sizes(n_components: int | Iterable[int]) -> list[int]:
    alone = isinstance(n_components, Real) or not isinstance(n_components, Iterable)
    given = [n_components] if alone else list(n_components)
    right = all(isinstance(size, Integral) and not isinstance(size, bool) for size in given)
    if not given or not right or min(given) < 1:
        raise ValueError(
            f"n_components={given}; expected at least one whole number, each 1 or more."
        )
    return sorted({int(size) for size in given})
