"""Search over covariance models and numbers of components, every cell with its evidence."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array
from tqdm import tqdm

from cohortlab.mixture.arguments import check_arguments, plan_cells
from cohortlab.mixture.audit import audit
from cohortlab.mixture.cells import NOT_RUN, Cell, Job, build_estimator, fit_cell, table_of
from cohortlab.mixture.checkpoint import Checkpoint, fingerprint
from cohortlab.mixture.checks import (
    check_size,
    check_weights,
    held_rows,
    seed_from,
    warn_if_scaled,
    warn_if_swamped,
)
from cohortlab.mixture.collapse import Rows, collapse_rows
from cohortlab.mixture.estimator import GaussianMixture
from cohortlab.mixture.evidence import Limits
from cohortlab.mixture.fitting import make_partitions
from cohortlab.mixture.initial import draw_samples
from cohortlab.mixture.iterate import Settings
from cohortlab.mixture.models import canonical_name
from cohortlab.mixture.parallel import workers
from cohortlab.mixture.readings import say_size


@dataclass(frozen=True)
class Search:
    """The outcome of a search.

    Attributes
    ----------
    table : DataFrame
        One row a cell. `loglik`, `bic`, `icl` and `aic` are the raw figures of the highest
        likelihood found; a veto stands in `verdict`, and `sound_bic` and its like then belong to
        the best optimum without one, where the cell has it.
    best : GaussianMixture
        The chosen mixture, fitted.
    certificate : dict
        The audit of the choice, ready for JSON.
    criterion : str
        What it was chosen by.
    """

    table: pd.DataFrame
    best: GaussianMixture
    certificate: dict
    criterion: str
    cells: tuple[Cell, ...] = field(repr=False, default=())
    job: Job | None = field(repr=False, default=None)

    def model(self, model: str, n_components: int, *, sound: bool = True) -> GaussianMixture:
        """Give the fitted mixture of one cell.

        Parameters
        ----------
        model : str
            Covariance model, by any of its names.
        n_components : int
            Number of components.
        sound : bool
            Prefer an optimum that was not vetoed.

        Returns
        -------
        GaussianMixture
            Fitted.

        Raises
        ------
        KeyError
            If the cell was not part of the search or has no fit.
        ValueError
            If the name is not known.
        """
        name = canonical_name(model, self.best.n_features_in_)
        for cell in self.cells:
            if (cell.model, cell.n_components) == (name, n_components) and cell.fits:
                fit = cell.sound if sound and cell.sound else cell.fits[0]
                return build_estimator(self.job, cell, fit)
        raise KeyError(f"no fit of {model} with {n_components} components in this search")


def search(
    X,
    n_components: int | Iterable[int] = range(1, 11),
    models: Iterable[str] | None = None,
    criterion: str = "bic",
    sample_weight=None,
    n_init: int = 10,
    *,
    init: str = "mixed",
    reg_covar: float = 1e-6,
    tol: float = 1e-5,
    max_iter: int = 1000,
    random_state=0,
    limits: Limits | None = None,
    n_bootstrap: int = 99,
    n_stability: int = 50,
    audit_rows: int = 1000,
    time_budget_sec: float | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = False,
) -> Search:
    """Fit every model with every number of components, audit each, and choose.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Data, finite where a row has weight.
    n_components : int or iterable of int
        Numbers of components.
    models : iterable of str, optional
        Covariance models; by default all fourteen, or E and V for one feature. The table lists
        them by mclust's names, and two names of one model once.
    criterion : {"bic", "icl"}
        What to choose by, among cells that are not vetoed.
    sample_weight : array-like of shape (n_samples,), optional
        Non-negative weights.
    n_init : int
        Starts a cell.
    init : {"mixed", "kmeans++", "random", "hierarchical"}
        Where starts come from.
    reg_covar, tol, max_iter
        As for `GaussianMixture`.
    random_state : int, Generator, RandomState or None
        Seed. Each cell has its own stream. Further starts are splits of the cell of the same model
        with one component fewer, and the fits of models before it with as many components: so a
        cell may do better in a larger search.
    limits : Limits, optional
        Where to veto.
    n_bootstrap : int
        Most simulations of each test in the certificate; p-values go down to 1 / (n_bootstrap + 1).
        0 leaves all bootstraps out.
    n_stability : int
        Bootstrap samples in which each cluster is looked for; 0 leaves that out.
    audit_rows : int
        Rows that the tests see: a weighted sample where there are more. Stability sees all rows, or
        20,000 draws where more are distinct.
    time_budget_sec : float, optional
        No cell is begun after so many seconds; those left are marked as not run, and the audit then
        makes no simulations, as with `n_bootstrap=0`. What is left of the audit is not counted.
    checkpoint : str or Path, optional
        File that finished cells are added to, and read from if it exists. It belongs to one search:
        the same data, settings, sizes and models, and a seed.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Search
        Table, best mixture and certificate.

    Raises
    ------
    ValueError
        If an argument is wrong, or no cell has a fit.
    """
    check_arguments(
        criterion=criterion,
        init=init,
        n_init=n_init,
        max_iter=max_iter,
        n_bootstrap=n_bootstrap,
        n_stability=n_stability,
        audit_rows=audit_rows,
        reg_covar=reg_covar,
        tol=tol,
        time_budget_sec=0 if time_budget_sec is None else time_budget_sec,
    )
    if not isinstance(limits, Limits | None):
        raise ValueError(f"limits={limits!r}; expected Limits, such as Limits(smallest_size=10).")
    if checkpoint is not None and random_state is None:
        raise ValueError(
            "random_state=None with a checkpoint; expected a whole number, such as random_state=0: "
            "a search with a fresh seed cannot go on where another stopped."
        )
    rows = _read_rows(X, sample_weight)
    warn_if_swamped(rows, reg_covar)
    plan = plan_cells(n_components, models, rows.n_features)
    settings = Settings(float(reg_covar), float(tol), int(max_iter))
    seed, names = seed_from(random_state), _column_names(X)
    job = Job(rows, settings, limits or Limits(), init, int(n_init), seed, names)
    stored = Checkpoint(checkpoint, fingerprint(job, plan)) if checkpoint else None
    cells = _run_cells(job, plan, stored, time_budget_sec, progress)
    if not any(cell.fits for cell in cells):
        raise ValueError(
            f"No cell of the search has a fit. The first: {cells[0].verdict}. Try fewer "
            "components, a larger reg_covar or time budget, or scale the input."
        )
    chosen, certificate = audit(
        cells,
        job,
        criterion=criterion,
        n_bootstrap=n_bootstrap,
        n_stability=n_stability,
        audit_rows=audit_rows,
    )
    best = build_estimator(job, *chosen)
    return Search(table_of(cells), best, certificate, criterion, tuple(cells), job)


def _read_rows(X, sample_weight) -> Rows:
    """Check data and weights, and collapse equal rows."""
    X = check_array(X, dtype=np.float64, ensure_min_samples=0, ensure_all_finite=False)
    if len(X) < 2:
        raise ValueError(
            f"X has {say_size(len(X), 'row')}; expected two or more, since one row has no spread: "
            "take more data, or set fewer rows apart."
        )
    weight = check_weights(sample_weight, X)
    check_size(X[held_rows(weight, len(X))], 1)
    warn_if_scaled(weight)
    return collapse_rows(X, weight)


def _column_names(X) -> tuple[str, ...] | None:
    columns = getattr(X, "columns", None)
    if columns is None or not all(isinstance(name, str) for name in columns):
        return None
    return tuple(columns)


def _precedes(cell: Cell, model: str, size: int) -> bool:
    return cell.model == model and cell.n_components == size - 1


def _run_cells(
    job: Job,
    plan: list[tuple[int, str]],
    stored: Checkpoint | None,
    time_budget_sec: float | None,
    progress: bool,
) -> list[Cell]:
    """Fit the cells one after another, or take them from the checkpoint."""
    begun = time.monotonic()
    known = stored.cells if stored else {}
    samples = draw_samples(job.rows, job.n_init, job.seed)
    cells, starts = [], (0, [])
    with workers() as run:
        for size, model in tqdm(plan, desc="mixtures", unit="cell", disable=not progress):
            if (model, size) in known:
                cells.append(known[model, size])
                continue
            if time_budget_sec is not None and time.monotonic() - begun >= time_budget_sec:
                cells.append(Cell(model, size, failure=NOT_RUN))
                continue
            if job.rows.n_distinct < size:
                reason = f"no fit: only {say_size(job.rows.n_distinct, 'distinct row')}"
                cells.append(Cell(model, size, failure=reason))
                continue
            if starts[0] != size:
                starts = size, make_partitions(samples, size, job.init, job.n_init, job.seed)
            smaller = next((one for one in cells if _precedes(one, model, size)), None)
            near = {"smaller": smaller, "siblings": [c for c in cells if c.n_components == size]}
            cells.append(fit_cell(job, model, size, starts[1], samples, run, **near))
            if stored:
                stored.add(cells[-1])
    return cells
