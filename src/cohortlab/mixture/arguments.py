"""Checks of the arguments of a search."""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real

import numpy as np

from cohortlab.mixture.initial import METHODS
from cohortlab.mixture.models import default_models, resolve_model

CRITERIA = ("bic", "icl")
INITS = (*METHODS, "mixed")

_LEAST = {
    "n_init": (Integral, 1),
    "max_iter": (Integral, 0),
    "n_bootstrap": (Integral, 0),
    "audit_rows": (Integral, 2),
    "reg_covar": (Real, 0),
    "tol": (Real, 0),
}


def check_arguments(*, criterion: str, init: str, **numbers) -> None:
    """Raise where an argument of a search is wrong.

    Parameters
    ----------
    criterion, init : str
        Names.
    **numbers
        `n_init`, `max_iter`, `n_bootstrap`, `audit_rows`, `reg_covar` and `tol`.

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
    n_components: int | Iterable[int], models: Sequence[str] | None, n_features: int
) -> list[tuple[int, str]]:
    """List the cells, all models of one size after another, so that they share their starts.

    Parameters
    ----------
    n_components : int or iterable of int
        Numbers of components.
    models : sequence of str or None
        Covariance models; None for the default ones.
    n_features : int
        Number of features.

    Returns
    -------
    list of (int, str)
        Number of components and model.

    Raises
    ------
    ValueError
        If a size is not a whole number of 1 or more, or a model is not known.
    """
    sizes = _sizes(n_components)
    if isinstance(models, str) or (models is not None and not len(models)):
        raise ValueError(f"models={models!r}; expected a sequence of model names.")
    models = default_models(n_features) if models is None else tuple(dict.fromkeys(models))
    for model in models:
        resolve_model(model, n_features)
    return [(size, model) for size in sizes for model in models]


def _sizes(n_components: int | Iterable[int]) -> list[int]:
    alone = isinstance(n_components, Real) or not isinstance(n_components, Iterable)
    given = [n_components] if alone else list(n_components)
    right = all(isinstance(size, Integral) and not isinstance(size, bool) for size in given)
    if not given or not right or min(given) < 1:
        raise ValueError(
            f"n_components={given}; expected at least one whole number, each 1 or more."
        )
    return sorted({int(size) for size in given})
