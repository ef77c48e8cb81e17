"""A choice that is not the highest likelihood of its cell, as that one is vetoed."""

import json

import numpy as np
import pytest

from cohortlab.mixture import Limits, explain
from cohortlab.mixture.audit import audit
from cohortlab.mixture.cells import Cell, Job, build_estimator, fit_cell
from cohortlab.mixture.collapse import collapse_rows
from cohortlab.mixture.initial import draw_samples
from cohortlab.mixture.iterate import Settings
from cohortlab.mixture.parallel import workers

N_JUNK, N_SOUND = 2, 3


@pytest.fixture(scope="module")
def job():
    """Two groups, and three rows so close that a component on them has the highest likelihood."""
    rng = np.random.default_rng(0)
    places = np.repeat([[0, 0], [5, 0], [2.5, 9]], [60, 60, 3], axis=0)
    rows = collapse_rows(places + rng.normal(size=(123, 2)) * np.repeat([[1], [1e-3]], [120, 3], 0))
    seed = np.random.SeedSequence(0)
    return Job(rows, Settings(), Limits(), "mixed", N_JUNK + N_SOUND, seed)


@pytest.fixture(scope="module")
def cell(job):
    values = job.rows.values + job.rows.centre[:, None]
    on_junk, on_groups = (values[1] > 8.5).astype(int), (values[0] > 2.5).astype(int)
    cuts = [on_junk] * N_JUNK + [on_groups] * N_SOUND
    with workers() as run:
        samples = draw_samples(job.rows, 1, job.seed)
        return fit_cell(job, "VVV", 2, [(job.rows, cut) for cut in cuts], samples, run)


@pytest.fixture(scope="module")
def found(cell, job):
    return audit([cell], job, n_bootstrap=0)


def test_starts_are_counted_by_the_optimum_they_reached(cell):
    assert [bool(fit.reasons) for fit in cell.fits] == [True, False]
    assert [fit.n_agreeing for fit in cell.fits] == [N_JUNK, N_SOUND]
    assert Cell.from_dict(json.loads(json.dumps(cell.to_dict()))).fits[1].n_agreeing == N_SOUND


def test_starts_that_agree_are_those_of_the_choice(cell, job, found):
    (_, fit), certificate = found
    assert certificate["starts"] == {"tried": 5, "agreeing": N_SOUND, "failed": 0}
    assert build_estimator(job, cell, fit).n_starts_agreeing_ == N_SOUND
    assert "3 of 5 starts led to this optimum." in explain(certificate)


def test_an_optimum_passed_over_is_told_with_the_reason(cell, found):
    certificate = found[1]
    assert certificate["passed_over"] == list(cell.fits[0].reasons)
    (told,) = [line for line in explain(certificate) if "highest likelihood of its cell" in line]
    assert "so the next optimum without a veto is taken: a component rests on 3 rows" in told


def test_cells_are_counted_by_whether_they_have_a_sound_optimum(cell, job):
    clean = Cell("EEE", 2, 1, 0, "", cell.fits[1:])
    hopeless = Cell("EEI", 2, 1, 0, "", cell.fits[:1])
    certificate = audit([cell, clean, hopeless], job, n_bootstrap=0)[1]
    assert certificate["cells"]["sound"] == 2
    words = " ".join(explain(certificate))
    assert "lowest BIC of the 2 cells that have a sound optimum" in words
    assert "3 cells searched: 2 with a sound optimum, 2 whose highest likelihood" in words


def test_the_highest_of_its_cell_is_not_said_to_be_passed_over(cell, job):
    clean = Cell("VVV", 2, 1, 0, "", cell.fits[1:])
    certificate = audit([clean], job, n_bootstrap=0)[1]
    assert certificate["passed_over"] == []
    assert "highest likelihood of its cell" not in " ".join(explain(certificate))


def test_a_sound_choice_without_bootstrap_tests_is_not_said_to_have_passed_them(found):
    certificate = found[1] | {"verdict": "sound", "doubts": [], "cautions": []}
    words = " ".join(explain(certificate))
    assert "no bootstrap test was run" in words
    assert "Nothing speaks against this choice." not in words
