"""Cells of a search: one covariance model with one number of components."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.density import Parameters, compact, expand
from cohortlab.mixture.estimator import GaussianMixture
from cohortlab.mixture.evidence import Candidate, Limits, distinct_runs, weigh
from cohortlab.mixture.fitting import Partition, fit_partitions
from cohortlab.mixture.initial import Samples, split_starts, start_from_fit
from cohortlab.mixture.iterate import Settings
from cohortlab.mixture.models import resolve_model
from cohortlab.mixture.parallel import OrderedMap

CRITERIA = ("loglik", "bic", "icl", "aic")
_EVIDENCE = (
    "n_iter",
    "smallest_size",
    "smallest_eigenvalue",
    "condition_number",
    "thinness",
    "thin_size",
    "entropy",
    "reg_loglik_change",
    "reg_label_change",
)
OK = "ok"
NOT_RUN = "not run: the time budget was spent"
_N_SPLIT = 1


@dataclass(frozen=True)
class Job:
    """What all cells of a search share.

    Attributes
    ----------
    rows : Rows
        Distinct weighted rows.
    settings : Settings
        Stopping rule and regularisation.
    limits : Limits
        Where to veto.
    init : str
        Where starts come from.
    n_init : int
        Starts a cell.
    seed : numpy.random.SeedSequence
        Root of the streams of all cells.
    names : tuple of str or None
        Column names.
    """

    rows: Rows
    settings: Settings
    limits: Limits
    init: str
    n_init: int
    seed: np.random.SeedSequence
    names: tuple[str, ...] | None = None


@dataclass(frozen=True)
class CellFit:
    """One optimum of a cell, as plain arrays in the coordinates of the data.

    Attributes
    ----------
    weights, means, covariances : ndarray
        Parameters.
    path : tuple of float
        Log-likelihoods of the run.
    figures : dict
        Criteria and evidence.
    reasons : tuple of str
        Why it is vetoed; empty where it is sound.
    n_agreeing : int
        Starts that led to this optimum.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    path: tuple[float, ...]
    figures: dict
    reasons: tuple[str, ...]
    n_agreeing: int


@dataclass(frozen=True)
class Cell:
    """One covariance model with one number of components.

    Attributes
    ----------
    model : str
        Name as it was asked for.
    n_components : int
        Number of components.
    n_starts, n_failed : int
        Starts tried, starts without a fit.
    failure : str
        Why there is no fit, or empty.
    fits : tuple of CellFit
        The highest log-likelihood first; where that is vetoed, further optima until a sound one.
    """

    model: str
    n_components: int
    n_starts: int = 0
    n_failed: int = 0
    failure: str = ""
    fits: tuple[CellFit, ...] = ()

    @property
    def sound(self) -> CellFit | None:
        """The best optimum that is not vetoed, if any."""
        return next((fit for fit in self.fits if not fit.reasons), None)

    @property
    def n_agreeing(self) -> int:
        """Starts that led to the highest log-likelihood, vetoed or not."""
        return self.fits[0].n_agreeing if self.fits else 0

    @property
    def verdict(self) -> str:
        """`ok`, why the highest log-likelihood is vetoed, or why there is no fit."""
        if not self.fits:
            return self.failure
        reasons = self.fits[0].reasons
        return "vetoed: " + "; ".join(reasons) if reasons else OK

    def row(self) -> dict:
        """Lay the cell out as a row of the table.

        Returns
        -------
        dict
            Raw figures, verdict and evidence, and the `sound_` figures; nan where there is no fit.
        """
        row = {"model": self.model, "n_components": self.n_components}
        raw = self.fits[0].figures if self.fits else {}
        sound = self.sound.figures if self.sound else {}
        row |= {name: raw.get(name, np.nan) for name in CRITERIA}
        row["n_parameters"] = raw.get("n_parameters", np.nan)
        row["converged"] = bool(raw.get("converged", False))
        row["verdict"] = self.verdict
        row |= {name: raw.get(name, np.nan) for name in _EVIDENCE}
        row |= {"n_starts": self.n_starts, "n_agreeing": self.n_agreeing, "n_failed": self.n_failed}
        row |= {f"sound_{name}": sound.get(name, np.nan) for name in CRITERIA}
        return row

    def to_dict(self) -> dict:
        """Lay the cell out for JSON, losing no digit.

        Returns
        -------
        dict
            Numbers, texts, lists and dictionaries only.
        """
        plain = asdict(self)
        for fit in plain["fits"]:
            fit |= {name: fit[name].tolist() for name in ("weights", "means", "covariances")}
        return plain

    @classmethod
    def from_dict(cls, plain: dict) -> "Cell":
        """Read what `to_dict` wrote.

        Parameters
        ----------
        plain : dict
            From `to_dict`, through JSON or not.

        Returns
        -------
        Cell
            The same cell, digit by digit.
        """
        fits = tuple(
            CellFit(
                *(np.array(fit[name]) for name in ("weights", "means", "covariances")),
                tuple(fit["path"]),
                fit["figures"],
                tuple(fit["reasons"]),
                fit["n_agreeing"],
            )
            for fit in plain["fits"]
        )
        return cls(**{**plain, "fits": fits})


def fit_cell(
    job: Job,
    model: str,
    n_components: int,
    partitions: list[Partition],
    samples: Samples,
    run: OrderedMap,
    *,
    smaller: Cell | None = None,
    siblings: Sequence[Cell] = (),
) -> Cell:
    """Fit one cell and gather its evidence.

    Parameters
    ----------
    job : Job
        What all cells share.
    model : str
        Covariance model.
    n_components : int
        Number of components.
    partitions : list of (Rows, ndarray)
        Where to start.
    samples : Samples
        All rows, and what short runs see.
    run : callable
        Ordered map from `workers`.
    smaller : Cell, optional
        The same model with one component fewer; splits of its best fits are further starts, so
        that a larger mixture never does worse for want of luck.
    siblings : sequence of Cell
        Other models with as many components; their best fits are further starts.

    Returns
    -------
    Cell
        With its fits, or the reason why there is none.
    """
    family = resolve_model(model, job.rows.n_features)
    more = []
    if smaller is not None:
        for fit in smaller.fits[:_N_SPLIT]:
            more += split_starts(centred_parameters(fit, model, job.rows), family)
    for other in siblings:
        for fit in other.fits[:1]:
            means = fit.means - job.rows.centre
            more.append(start_from_fit(fit.weights, means, fit.covariances, family))
    fit = fit_partitions(samples, partitions, n_components, family, run, job.settings, more=more)
    runs = distinct_runs(fit)
    counts = (fit.n_starts, len(fit.failures))
    if not runs:
        reasons = " and ".join(sorted(set(fit.failures)))
        return Cell(model, n_components, *counts, f"no fit: {reasons} in every start")
    (found,) = weigh([runs], [job.rows], family, run, job.settings, job.limits)
    # Not every optimum is weighed, so there may be more counts than candidates.
    fits = tuple(
        _plain_fit(candidate, n_agreeing, job.rows, family)
        for candidate, n_agreeing in zip(found, fit.agreeing, strict=False)
    )
    return Cell(model, n_components, *counts, "", fits)


def _plain_fit(candidate: Candidate, n_agreeing: int, rows: Rows, family) -> CellFit:
    parameters = candidate.run.parameters
    # Components are numbered by falling share, whatever start they came from.
    order = np.argsort(-parameters.weights[0], kind="stable")
    return CellFit(
        parameters.weights[0][order],
        parameters.means[0][order] + rows.centre,
        expand(parameters, family)[order],
        candidate.run.path,
        candidate.figures,
        candidate.reasons,
        n_agreeing,
    )


def centred_parameters(fit: CellFit, model: str, rows: Rows) -> Parameters:
    """Give a cell's optimum in the coordinates of the rows.

    Parameters
    ----------
    fit : CellFit
        One optimum, in the coordinates of the data.
    model : str
        Its covariance model.
    rows : Rows
        Rows that it belongs to; `rows.centre` is taken off the means.

    Returns
    -------
    density.Parameters
        One fit.
    """
    family = resolve_model(model, rows.n_features)
    return compact(fit.weights, fit.means - rows.centre, fit.covariances, family)


def build_estimator(job: Job, cell: Cell, fit: CellFit) -> GaussianMixture:
    """Make a fitted estimator of one optimum of a cell.

    Parameters
    ----------
    job : Job
        What all cells share.
    cell : Cell
        The cell.
    fit : CellFit
        One of its optima.

    Returns
    -------
    GaussianMixture
        Fitted.
    """
    entropy = job.seed.entropy
    estimator = GaussianMixture(
        cell.n_components,
        cell.model,
        n_init=job.n_init,
        init=job.init,
        reg_covar=job.settings.reg_covar,
        tol=job.settings.tol,
        max_iter=job.settings.max_iter,
        random_state=entropy if isinstance(entropy, int) and entropy < 2**32 else None,
    )
    estimator.weights_, estimator.means_ = fit.weights, fit.means
    estimator.covariances_ = fit.covariances
    estimator.loglik_, estimator.loglik_path_ = fit.figures["loglik"], np.array(fit.path)
    estimator.model_ = cell.model
    estimator.n_parameters_ = fit.figures["n_parameters"]
    estimator.converged_, estimator.n_iter_ = fit.figures["converged"], fit.figures["n_iter"]
    estimator.n_starts_agreeing_ = fit.n_agreeing
    estimator.total_weight_ = job.rows.total_weight
    estimator.n_features_in_ = job.rows.n_features
    if job.names is not None:
        estimator.feature_names_in_ = np.array(job.names, dtype=object)
    return estimator


def table_of(cells: list[Cell]) -> pd.DataFrame:
    """Lay cells out as a table, one row a cell.

    Parameters
    ----------
    cells : list of Cell
        In the order of the table.

    Returns
    -------
    DataFrame
        See `Search.table`; whole numbers that a cell without a fit lacks are `Int64`.
    """
    table = pd.DataFrame([cell.row() for cell in cells])
    whole = ("n_parameters", "n_iter")
    return table.astype(dict.fromkeys(whole, "Int64"))
