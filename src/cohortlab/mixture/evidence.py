"""What speaks for and against one cell of a search."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from cohortlab.mixture.assignment import Assessment, assess, criteria
from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.density import Parameters, expand
from cohortlab.mixture.fitting import Fit
from cohortlab.mixture.initial import stack
from cohortlab.mixture.iterate import Run, Settings, run_em
from cohortlab.mixture.models import Family, count_parameters
from cohortlab.mixture.parallel import OrderedMap
from cohortlab.mixture.readings import say_size

_MOST_CANDIDATES = 4
# Enough steps to see which way an optimum goes; how far is measured against a control run.
_SENSITIVITY_TOL = 1e-5
_SENSITIVITY_ITERATIONS = 10


@dataclass(frozen=True)
class Limits:
    """Where a cell is vetoed.

    Attributes
    ----------
    smallest_size : float or None
        Fewest effective rows a component may have. None means one more than there are features,
        without which a covariance is singular, and at least five: fewer are single odd rows.
    floor_factor : float
        A smallest eigenvalue of at most this many times `reg_covar` is at the floor: with 10,
        regularisation makes up a tenth of that variance or more, so it is not the data's.
    largest_condition : float
        Largest condition number of a covariance whose features have been standardised. Solving
        with it loses as many of the sixteen digits as it has itself: 1e10 leaves six.
    moved_loglik : float
        Largest change of the log-likelihood per unit of weight when `reg_covar` changes tenfold.
        Adding e to a variance v costs a row e^2 / (4 v^2) to second order, so 0.01 is what a
        variance of 45 times `reg_covar` loses that all rows share.
    moved_share : float
        Largest share of weight that changes component then: more than rows on a boundary.
    thinness : float
        A component is thin where its smallest standardised eigenvalue is below this many times
        the median of the other components', and below this many times its own largest. Rows that
        share a rounded value lie on a line, and a bell around it gains n / 2 log(1 / thinness)
        for its n rows, so it beats honest mixtures. Honest groups are seldom thirty times
        narrower than all others, the root of 1e-3; a group that is small in every direction is
        compact, not thin, and is left alone.
    thin_share : float
        Largest share of weight at which a thin component is junk: below a tenth of the rows it
        is a few odd rows on a line, above it a structure that somebody should look at.
    """

    smallest_size: float | None = None
    floor_factor: float = 10.0
    largest_condition: float = 1e10
    moved_loglik: float = 0.01
    moved_share: float = 0.01
    thinness: float = 1e-3
    thin_share: float = 0.1

    def __post_init__(self):
        """Raise where a limit is no number of zero or more."""
        for name, value in vars(self).items():
            if name == "smallest_size" and value is None:
                continue
            if not isinstance(value, Real) or not value >= 0:
                raise ValueError(f"{name}={value!r}; expected a number of zero or more.")

    def size_for(self, n_features: int) -> float:
        """Give the fewest rows a component may have.

        Parameters
        ----------
        n_features : int
            Number of features.

        Returns
        -------
        float
            `smallest_size` where it is set, else n_features + 1 and at least 5.
        """
        return max(n_features + 1, 5) if self.smallest_size is None else self.smallest_size


@dataclass(frozen=True)
class Candidate:
    """One optimum of a cell with its evidence.

    Attributes
    ----------
    run : Run
        The run that reached it.
    found : Assessment
        Sums over the rows.
    figures : dict
        `loglik`, `bic`, `icl`, `aic` and the evidence, as columns of the table.
    reasons : tuple of str
        Why it is vetoed; empty where it is sound.
    """

    run: Run
    found: Assessment
    figures: dict
    reasons: tuple[str, ...]


def covariance_figures(parameters: Parameters, family: Family, rows: Rows) -> dict[str, float]:
    """Measure how near the covariances are to singular.

    Parameters
    ----------
    parameters : Parameters
        One fit.
    family : Family
        Covariance family.
    rows : Rows
        Rows, for the scale of the features.

    Returns
    -------
    dict
        `smallest_eigenvalue` in squared units of the data, `floor_component`, and
        `condition_number` after standardising the features.
    """
    covariances = expand(parameters, family)
    lowest = np.linalg.eigvalsh(covariances)[:, 0]
    scaled = standardised_eigenvalues(covariances, rows)
    condition = scaled[:, -1] / np.maximum(scaled[:, 0], np.finfo(float).tiny)
    return {
        "smallest_eigenvalue": float(lowest.min()),
        "floor_component": int(lowest.argmin()),
        "condition_number": float(condition.max()),
    }


def standardised_eigenvalues(covariances: np.ndarray, rows: Rows) -> np.ndarray:
    """Give the eigenvalues of covariances once the features are standardised, rising.

    Parameters
    ----------
    covariances : ndarray of shape (n_components, n_features, n_features)
        In units of the data.
    rows : Rows
        Rows whose standard deviations are the new units.

    Returns
    -------
    ndarray of shape (n_components, n_features)
        Without units.
    """
    scales = rows.scales()
    return np.linalg.eigvalsh(covariances / np.outer(scales, scales))


def thinness(eigenvalues: np.ndarray) -> np.ndarray:
    """Compare the width of each component with the others' and with its own length.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_components, n_features)
        Eigenvalues of the standardised covariances, rising.

    Returns
    -------
    ndarray of shape (n_components,)
        The larger of two ratios: smallest eigenvalue to the median of the other components', and
        to the component's own largest. 1 or more where there is one component or one feature.

    Examples
    --------
    >>> thinness(np.array([[1e-6, 1.0], [0.5, 1.0], [0.1, 1.0]])).round(1).tolist()
    [0.0, 10.0, 0.4]
    """
    lowest, tiny = eigenvalues[:, 0], np.finfo(float).tiny
    if len(lowest) == 1:
        return np.ones(1)
    others = [np.median(np.delete(lowest, place)) for place in range(len(lowest))]
    return lowest / np.maximum(np.minimum(others, eigenvalues[:, -1]), tiny)


def weigh(
    runs: Sequence[list[Run]],
    tables: Sequence[Rows],
    family: Family,
    run: OrderedMap,
    settings: Settings,
    limits: Limits,
) -> list[list[Candidate]]:
    """Gather the evidence on the optima of each table, best first, until one is sound.

    Parameters
    ----------
    runs : sequence of list of Run
        Finished runs at different optima of each table, best first.
    tables : sequence of Rows
        Distinct weighted rows.
    family : Family
        Covariance family.
    run : callable
        Ordered map from `workers`.
    settings : Settings
        As for the fits.
    limits : Limits
        Where to veto.

    Returns
    -------
    list of list of Candidate
        One list a table. The first of it has the highest log-likelihood; if it is vetoed, the last
        may be sound.
    """
    candidates = [[] for _ in tables]
    for rank in range(_MOST_CANDIDATES):
        going = [
            place
            for place, (own, known) in enumerate(zip(runs, candidates, strict=True))
            if len(own) > rank and (not known or known[-1].reasons)
        ]
        for place in going:
            one = _weigh_one(runs[place][rank], tables[place], family, run, settings, limits)
            candidates[place].append(one)
        # What is vetoed anyway is not moved about for more evidence, but for the first.
        moved = [place for place in going if rank == 0 or not candidates[place][-1].reasons]
        _move(candidates, tables, moved, family, run, settings, limits)
    return candidates


def _move(
    candidates: list[list[Candidate]],
    tables: Sequence[Rows],
    moved: list[int],
    family: Family,
    run: OrderedMap,
    settings: Settings,
    limits: Limits,
) -> None:
    """Add to the last candidate of these tables how far it moves with the regularisation."""
    own = [tables[place] for place in moved]
    last = [candidates[place][-1] for place in moved]
    changes = _sensitivity([one.run for one in last], own, family, run, settings)
    for place, one, rows, change in zip(moved, last, own, changes, strict=True):
        figures = one.figures | change
        reasons = _veto(figures, rows.n_features, rows.total_weight, settings, limits)
        candidates[place][-1] = replace(one, figures=figures, reasons=reasons)


def _weigh_one(
    one: Run, rows: Rows, family: Family, run: OrderedMap, settings: Settings, limits: Limits
) -> Candidate:
    """Gather the evidence on one optimum, but for how far it moves."""
    found = assess(rows, one.parameters, family, run)
    _, n_components, n_features = one.parameters.shape
    weight = rows.total_weight
    n_parameters = count_parameters(family.name, n_components, n_features)
    entropy = found.entropy / (weight * np.log(n_components)) if n_components > 1 else 0.0
    figures = {
        "loglik": found.loglik,
        "n_parameters": n_parameters,
        **criteria(found.loglik, found.hard_log, n_parameters, weight),
        "converged": one.converged,
        "n_iter": one.n_iter,
        "smallest_size": float(found.sizes.min()),
        **covariance_figures(one.parameters, family, rows),
        **_thin_figures(one.parameters, family, rows, limits),
        "entropy": float(entropy),
        "reg_loglik_change": np.nan,
        "reg_label_change": np.nan,
    }
    return Candidate(one, found, figures, _veto(figures, n_features, weight, settings, limits))


def _thin_figures(
    parameters: Parameters, family: Family, rows: Rows, limits: Limits
) -> dict[str, float]:
    """Find the thinnest of the components that hold few rows."""
    weights = parameters.weights[0]
    ratio = thinness(standardised_eigenvalues(expand(parameters, family), rows))
    ratio = np.where(weights < limits.thin_share, ratio, np.inf)
    place = int(ratio.argmin())
    found = bool(np.isfinite(ratio[place]))
    return {
        "thinness": float(ratio[place]) if found else np.nan,
        "thin_size": float(weights[place] * rows.total_weight) if found else np.nan,
    }


def _sensitivity(
    optima: list[Run],
    tables: list[Rows],
    family: Family,
    run: OrderedMap,
    settings: Settings,
) -> list[dict[str, float]]:
    """Continue from one optimum a table with ten times and a tenth of the regularisation.

    A run that goes on with the regularisation as it was is the control: what it moves by is not
    the regularisation's doing.
    """
    if settings.reg_covar == 0 or not optima:
        return [{"reg_loglik_change": 0.0, "reg_label_change": 0.0} for _ in optima]
    n, factors = len(optima), (1.0, 10.0, 0.1)
    starts = stack([one.parameters for one in optima for _ in factors])
    short = replace(
        settings,
        tol=max(settings.tol, _SENSITIVITY_TOL),
        max_iter=min(settings.max_iter, _SENSITIVITY_ITERATIONS),
        accelerate=False,
    )
    owner = np.repeat(np.arange(n), len(factors))
    reg_covar = settings.reg_covar * np.tile(factors, n)
    went = run_em(tables, starts, family, run, short, owner=owner, reg_covar=reg_covar)
    return [
        _changes(rows, went[3 * place : 3 * place + 3], family, run)
        for place, rows in enumerate(tables)
    ]


def _changes(rows: Rows, went: list[Run], family: Family, run: OrderedMap) -> dict[str, float]:
    """Compare the runs of one optimum with the first, the control."""
    control, *moved = went
    if control.failure or any(other.failure for other in moved):
        return {"reg_loglik_change": np.inf, "reg_label_change": 1.0}
    change, share = 0.0, 0.0
    known = assess(rows, control.parameters, family, run).labels
    for other in moved:
        labels = assess(rows, other.parameters, family, run).labels
        gap = abs(other.loglik - control.loglik) / rows.total_weight
        relabelled = float(rows.weights[labels != known].sum() / rows.total_weight)
        change, share = max(change, gap), max(share, relabelled)
    return {"reg_loglik_change": change, "reg_label_change": share}


def _veto(
    figures: dict, n_features: int, weight: float, settings: Settings, limits: Limits
) -> tuple[str, ...]:
    """Name the reasons not to believe an optimum."""
    reasons = []
    if not figures["converged"]:
        reasons.append(f"not converged after {say_size(figures['n_iter'], 'iteration')}")
    least = min(limits.size_for(n_features), weight)
    if figures["smallest_size"] < least:
        size = say_size(f"{figures['smallest_size']:.3g}", "row")
        reasons.append(f"a component rests on {size}, fewer than {least:g}")
    floor = limits.floor_factor * settings.reg_covar
    if figures["smallest_eigenvalue"] <= floor:
        reasons.append(
            f"a variance of {figures['smallest_eigenvalue']:.3g} is at the floor that "
            f"reg_covar={settings.reg_covar:g} sets"
        )
    elif figures["condition_number"] > limits.largest_condition:
        reasons.append(
            f"a covariance is nearly singular, condition number {figures['condition_number']:.3g}"
        )
    if figures["thinness"] < limits.thinness:
        reasons.append(
            f"a component of {figures['thin_size']:.3g} rows is thin: its smallest variance is "
            f"{figures['thinness']:.2g} of the other components'"
        )
    moved = figures["reg_loglik_change"] > limits.moved_loglik
    if moved or figures["reg_label_change"] > limits.moved_share:
        reasons.append(
            "the optimum moves when reg_covar changes tenfold: log-likelihood by "
            f"{figures['reg_loglik_change']:.3g} a row (at most {limits.moved_loglik:g} is "
            f"allowed), {figures['reg_label_change']:.1%} of rows change component (at most "
            f"{limits.moved_share:.0%})"
        )
    return tuple(reasons)


def distinct_runs(fit: Fit) -> list[Run]:
    """List the finished optima of a cell, best first.

    Parameters
    ----------
    fit : Fit
        The best of several starts.

    Returns
    -------
    list of Run
        Empty where every start failed.
    """
    return [fit.run, *fit.others] if np.isfinite(fit.run.loglik) else []
