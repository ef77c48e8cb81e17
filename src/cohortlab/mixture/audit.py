"""The audit of a choice: what speaks for it, and whether to believe it."""

import math
from dataclasses import asdict

from cohortlab.mixture.bootstrap import audit_sample, bootstrap_rows
from cohortlab.mixture.cells import CRITERIA, NOT_RUN, Cell, CellFit, Job, centred_parameters
from cohortlab.mixture.columns import find_troubles
from cohortlab.mixture.edge import describe_edge
from cohortlab.mixture.judgement import judge
from cohortlab.mixture.mass_points import heaviest_points
from cohortlab.mixture.parallel import workers
from cohortlab.mixture.ratio import RatioTest, null_test, ratio_test
from cohortlab.mixture.stability import stability

Choice = tuple[Cell, CellFit]


def choose(cells: list[Cell], criterion: str, *, raw: bool = False) -> Choice | None:
    """Pick the cell with the lowest criterion.

    Parameters
    ----------
    cells : list of Cell
        All cells.
    criterion : {"bic", "icl", "aic"}
        What to compare; ties, up to rounding, go to fewer parameters, then to the earlier cell.
    raw : bool
        Take the highest log-likelihood of each cell, vetoed or not.

    Returns
    -------
    (Cell, CellFit) or None
        The winner; None where no cell qualifies.
    """
    fits = [(cell, cell.fits[0] if raw and cell.fits else cell.sound) for cell in cells]
    fits = [(cell, fit) for cell, fit in fits if fit is not None]
    if not fits:
        return None
    lowest = min(fit.figures[criterion] for _, fit in fits)
    tied = [pair for pair in fits if _equal(pair[1].figures[criterion], lowest)]
    return min(tied, key=lambda pair: pair[1].figures["n_parameters"])


def _equal(one: float, other: float) -> bool:
    """Say whether two figures differ by rounding alone."""
    return math.isclose(one, other, rel_tol=1e-10, abs_tol=1e-6)


def audit(
    cells: list[Cell],
    job: Job,
    *,
    criterion: str = "bic",
    n_bootstrap: int = 99,
    n_stability: int = 50,
    audit_rows: int = 1000,
) -> tuple[Choice, dict]:
    """Choose among cells and certify the choice.

    Parameters
    ----------
    cells : list of Cell
        All cells of a search, at least one with a fit.
    job : Job
        What they share.
    criterion : {"bic", "icl"}
        What to choose by.
    n_bootstrap : int
        Most simulations of each test; 0 leaves all bootstraps out, and so do cells that the time
        budget left: simulations would take time that was not given, for a choice that may change.
    n_stability : int
        Bootstrap samples behind the stability of the clusters; 0 leaves it out.
    audit_rows : int
        Rows that the tests see.

    Returns
    -------
    choice : (Cell, CellFit)
        The lowest criterion among optima that are not vetoed; where all are, the lowest of all.
    certificate : dict
        Plain numbers, strings, lists and dicts.
    """
    if any(cell.failure == NOT_RUN for cell in cells):
        n_bootstrap = 0
    raw = choose(cells, criterion, raw=True)
    chosen = choose(cells, criterion) or raw
    certificate = {
        **_name(chosen, criterion),
        "criterion": criterion,
        "vetoed": bool(chosen[1].reasons),
        "passed_over": _passed_over(*chosen),
        "figures": _clean(chosen[1].figures),
        "starts": {
            "tried": chosen[0].n_starts,
            "agreeing": chosen[1].n_agreeing,
            "failed": chosen[0].n_failed,
        },
        "raw_winner": {**_name(raw, criterion), "reasons": list(raw[1].reasons)},
        "edge": describe_edge(cells, chosen, criterion, job),
        "runner_up": _runner_up(cells, chosen, criterion),
        "one_more": _one_more(cells, *chosen, criterion),
        "criteria": _compare_criteria(cells),
        "cells": _tally(cells),
        "data": _describe(job),
        **_bootstraps(chosen, job, n_bootstrap, n_stability, audit_rows),
        "settings": {
            **asdict(job.settings),
            **asdict(job.limits),
            "n_init": job.n_init,
            "n_bootstrap": n_bootstrap,
            "n_stability": n_stability,
            "audit_rows": audit_rows,
        },
    }
    return chosen, {**judge(certificate), **certificate}


def _name(choice: Choice, criterion: str) -> dict:
    cell, fit = choice
    return {
        "model": cell.model,
        "n_components": cell.n_components,
        criterion: fit.figures[criterion],
    }


def _passed_over(cell: Cell, fit: CellFit) -> list[str]:
    """Say why the highest log-likelihood of the cell chosen was not taken; empty where it was."""
    return [] if fit is cell.fits[0] else list(cell.fits[0].reasons)


def _clean(figures: dict) -> dict:
    """Replace what JSON has no number for."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }


def _runner_up(cells: list[Cell], chosen: Choice, criterion: str) -> dict | None:
    """Find the second lowest criterion, and the lowest at any other number of components.

    Models coincide at times, as EEE and VVV do with one component: a twin is no runner-up.
    """
    others = [cell for cell in cells if not _is_twin(cell, chosen, criterion)]
    second = choose(others, criterion)
    if second is None:
        return None
    mine = chosen[1].figures[criterion]
    elsewhere = [cell for cell in others if cell.n_components != chosen[0].n_components]
    other = choose(elsewhere, criterion)
    return {
        **_name(second, criterion),
        "gap": second[1].figures[criterion] - mine,
        "other_size": None
        if other is None
        else {**_name(other, criterion), "gap": other[1].figures[criterion] - mine},
    }


def _is_twin(cell: Cell, chosen: Choice, criterion: str) -> bool:
    """Whether a cell is the choice, or the same mixture by another name."""
    own, fit = chosen
    if cell is own or cell.sound is None or cell.n_components != own.n_components:
        return cell is own
    other = cell.sound.figures
    same_size = other["n_parameters"] == fit.figures["n_parameters"]
    return same_size and _equal(other[criterion], fit.figures[criterion])


def _one_more(cells: list[Cell], own: Cell, fit: CellFit, criterion: str) -> dict | None:
    """Say by how much the chosen model is worse with one component more; None where not fitted."""
    sought = (own.model, own.n_components + 1)
    found = [cell for cell in cells if (cell.model, cell.n_components) == sought and cell.fits]
    if not found:
        return None
    larger = found[0].sound or found[0].fits[0]
    gap = larger.figures[criterion] - fit.figures[criterion]
    return {"gap": gap, "sound": found[0].sound is not None}


def _compare_criteria(cells: list[Cell]) -> dict:
    """Choose once by each criterion."""
    choices = {name: choose(cells, name) for name in CRITERIA[1:]}
    named = {name: one and _name(one, name) for name, one in choices.items()}
    sizes = {named[name]["n_components"] for name in ("bic", "icl") if named[name]}
    return {**named, "bic_and_icl_agree": len(sizes) == 1}


def _tally(cells: list[Cell]) -> dict:
    """Count the cells that have a sound optimum, and list those whose highest is vetoed."""
    vetoed = [cell for cell in cells if cell.fits and cell.fits[0].reasons]
    missing = [cell for cell in cells if not cell.fits and cell.failure != NOT_RUN]
    return {
        "searched": len(cells),
        "not_run": sum(cell.failure == NOT_RUN for cell in cells),
        "models": list(dict.fromkeys(cell.model for cell in cells)),
        "sound": sum(cell.sound is not None for cell in cells),
        "vetoed": [
            {
                "model": cell.model,
                "n_components": cell.n_components,
                "bic": cell.fits[0].figures["bic"],
                "sound_bic": cell.sound.figures["bic"] if cell.sound else None,
                "reasons": list(cell.fits[0].reasons),
            }
            for cell in vetoed
        ],
        "without_fit": [
            {"model": cell.model, "n_components": cell.n_components, "reason": cell.failure}
            for cell in missing
        ],
    }


def _describe(job: Job) -> dict:
    rows = job.rows
    floor = job.limits.floor_factor * job.settings.reg_covar
    heavy = heaviest_points(rows)
    return {
        "total_weight": rows.total_weight,
        "n_distinct": rows.n_distinct,
        "n_features": rows.n_features,
        "repeated_share": float(rows.weights[rows.weights > 1].sum() / rows.total_weight),
        "mass_points": len(heavy),
        "mass_share": float(rows.weights[heavy].sum() / rows.total_weight),
        **find_troubles(rows, job.names, floor, job.limits.largest_condition),
    }


def _bootstraps(
    chosen: Choice, job: Job, n_bootstrap: int, n_stability: int, audit_rows: int
) -> dict:
    """Run the tests by simulation, and the bootstrap of the clusters."""
    cell, fit = chosen
    own, bigger = (cell.model, cell.n_components), (cell.model, cell.n_components + 1)
    rows = audit_sample(job, audit_rows)
    parameters = centred_parameters(fit, cell.model, job.rows)
    found = {"likelihood_ratio": None, "null_test": None, "stability": None}
    if not n_bootstrap:
        return found
    with workers() as run:
        ratio = ratio_test(rows, own, bigger, job, run, n_bootstrap, begin=parameters)
        null = null_test(rows, own if cell.n_components > 1 else bigger, job, run, n_bootstrap)
        found |= {"likelihood_ratio": _plain(ratio), "null_test": _plain(null)}
        drawn = bootstrap_rows(job)
        # With fewer draws than its components need rows, every sample would be vetoed.
        needed = cell.n_components * job.limits.size_for(job.rows.n_features)
        if n_stability and cell.n_components > 1 and round(drawn.total_weight) >= needed:
            steady = stability(drawn, parameters, cell.model, job, run, n_stability)
            found["stability"] = steady.summary()
    return found


def _plain(test: RatioTest | None) -> dict | None:
    return None if test is None else asdict(test)
