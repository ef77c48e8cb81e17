"""Where a choice and the raw criterion stand in the range of sizes searched."""

import numpy as np

from cohortlab.mixture.assignment import score_rows
from cohortlab.mixture.cells import Cell, CellFit, Job, centred_parameters
from cohortlab.mixture.evidence import standardised_eigenvalues, thinness
from cohortlab.mixture.models import count_parameters, resolve_model
from cohortlab.mixture.parallel import workers


def describe_edge(
    cells: list[Cell], chosen: tuple[Cell, CellFit], criterion: str, job: Job
) -> dict:
    """Say where the choice and the raw criterion stand in the range of sizes searched.

    Parameters
    ----------
    cells : list of Cell
        All cells, at least one with a fit.
    chosen : (Cell, CellFit)
        The choice.
    criterion : {"bic", "icl"}
        What was chosen by.
    job : Job
        What the cells share.

    Returns
    -------
    dict
        `sizes`; `raw_by_size`, the lowest raw figure of each; `chosen_at_edge` and `raw_at_edge`,
        at the largest size; `chosen_at_start`, at the smallest of several, where that is not one;
        `raw_junk_share`, the share of rows in the largest component of the raw winner whose
        variance is regularisation; `icl_at_edge`, whether raw ICL is lowest at the largest size,
        whatever was chosen by; `sound_beyond`, whether the chosen model has a sound optimum with
        more components, and `sound_up_to`, the most with which it has one; and `beyond`, what
        more components of the chosen model gain in BIC on the rows that junk does not hold (see
        `gain_without_junk`).
    """
    fitted = [cell for cell in cells if cell.fits]
    lowest = _lowest_by_size(fitted, criterion)
    sizes = list(lowest)
    raw_best = min(sizes, key=lambda size: lowest[size].figures[criterion])
    by_icl = {size: fit.figures["icl"] for size, fit in _lowest_by_size(fitted, "icl").items()}
    several, own = len(sizes) > 1, chosen[0]
    larger = [
        cell for cell in fitted if cell.model == own.model and cell.n_components > own.n_components
    ]
    raw_at_edge = several and raw_best == sizes[-1]
    gains = [gain_without_junk(cell, chosen, job) for cell in larger] if raw_at_edge else []
    return {
        "sizes": sizes,
        "raw_by_size": [lowest[size].figures[criterion] for size in sizes],
        "chosen_at_edge": several and own.n_components == sizes[-1],
        "chosen_at_start": several and own.n_components == sizes[0] > 1,
        "raw_at_edge": raw_at_edge,
        "raw_junk_share": _junk_share(lowest[raw_best], job),
        "icl_at_edge": several and min(by_icl, key=by_icl.get) == sizes[-1],
        "sound_beyond": any(cell.sound for cell in larger),
        "sound_up_to": max(
            [own.n_components, *(cell.n_components for cell in larger if cell.sound)]
        ),
        "beyond": [
            {"n_components": cell.n_components, "gain": gain}
            for cell, gain in zip(larger, gains, strict=False)
        ],
    }


def _lowest_by_size(fitted: list[Cell], criterion: str) -> dict[int, CellFit]:
    """Find the lowest raw figure of each size, smallest size first."""
    ordered = sorted(fitted, key=lambda cell: -cell.fits[0].figures[criterion])
    found = {cell.n_components: cell.fits[0] for cell in ordered}
    return dict(sorted(found.items()))


def _junk(fit: CellFit, job: Job) -> tuple[np.ndarray, np.ndarray]:
    """Mark the components of too few rows or on a line, and those without width of their own."""
    least = min(job.limits.size_for(job.rows.n_features), job.rows.total_weight)
    small = fit.weights * job.rows.total_weight < least
    thin = thinness(standardised_eigenvalues(fit.covariances, job.rows)) < job.limits.thinness
    lowest = np.linalg.eigvalsh(fit.covariances)[:, 0]
    floored = lowest <= job.limits.floor_factor * job.settings.reg_covar
    return small | (thin & (fit.weights < job.limits.thin_share)), floored


def _junk_share(fit: CellFit, job: Job) -> float:
    """Give the share of rows in the largest component whose variance is regularisation, not data.

    Components of too few rows do not count. A veto for anything else names no component, so it is
    taken to concern all rows.
    """
    least = min(job.limits.size_for(job.rows.n_features), job.rows.total_weight)
    small = fit.weights * job.rows.total_weight < least
    few, floored = _junk(fit, job)
    if not (few | floored).any():
        return 1.0 if fit.reasons else 0.0
    return float(fit.weights[floored & ~small].max(initial=0.0))


def gain_without_junk(cell: Cell, chosen: tuple[Cell, CellFit], job: Job) -> float:
    """Compare a larger mixture with the choice on the rows that its junk does not hold.

    Parameters
    ----------
    cell : Cell
        A larger mixture; its highest likelihood is taken.
    chosen : (Cell, CellFit)
        The choice.
    job : Job
        What the cells share.

    Returns
    -------
    float
        By how much BIC falls; negative where it rises, zero where nothing but junk is left.

    Notes
    -----
    Components of a few odd rows, on a line or without width of their own, lower BIC without end
    and say nothing of the other rows. They are taken out of the larger mixture, what is left is
    scaled to one, and both mixtures are compared on the rows weighted by how little they belong to
    those components; only the parameters of the components left are counted.
    """
    fit, rows = cell.fits[0], job.rows
    keep = ~np.logical_or(*_junk(fit, job))
    if not keep.any():
        return 0.0
    larger, shares = _densities(cell, fit, job)
    smaller, _ = _densities(*chosen, job)
    rest = np.exp(shares[:, keep]).sum(axis=1)
    inside = rest > 0
    left = larger[inside] + np.log(rest[inside]) - np.log(fit.weights[keep].sum())
    held = rows.weights[inside] * rest[inside]
    family = resolve_model(cell.model, rows.n_features).name
    more = [
        count_parameters(family, size, rows.n_features)
        for size in (int(keep.sum()), chosen[0].n_components)
    ]
    gain = 2.0 * float((held * (left - smaller[inside])).sum())
    return gain - (more[0] - more[1]) * float(np.log(rows.total_weight))


def _densities(cell: Cell, fit: CellFit, job: Job) -> tuple[np.ndarray, np.ndarray]:
    """Give the log-density and log-responsibilities of each distinct row."""
    family = resolve_model(cell.model, job.rows.n_features)
    parameters = centred_parameters(fit, cell.model, job.rows)
    with workers() as run:
        return score_rows(job.rows.values.T, parameters, family, run)
