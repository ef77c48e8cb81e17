"""Tests by simulation keep their level, and clusters come back where there are any."""

from dataclasses import replace

import numpy as np
import pytest

from cohortlab.mixture import Limits, ratio, search
from cohortlab.mixture.bootstrap import best_sound, bootstrap_rows, fresh_starts, refit
from cohortlab.mixture.cells import centred_parameters
from cohortlab.mixture.collapse import collapse_rows
from cohortlab.mixture.density import coefficients
from cohortlab.mixture.initial import split_starts, start_from_labels
from cohortlab.mixture.models import MODEL_NAMES, resolve_model
from cohortlab.mixture.parallel import workers
from cohortlab.mixture.ratio import null_test, ratio_test
from cohortlab.mixture.stability import read_jaccard, stability

THREE = np.array([[0, 0], [9, 0], [0, 9]])


def groups(seed, n_rows=120, centres=THREE):
    """Draw round groups of equal share."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_rows, 2)) + centres[rng.integers(0, len(centres), n_rows)]


def fitted(X, model, size, **arguments):
    """Give what a search with one cell leaves: job and parameters."""
    found = search(X, [size], [model], n_init=3, n_bootstrap=0, **arguments)
    return found.job, centred_parameters(found.cells[0].fits[0], model, found.job.rows)


def p_value(X, model, size, n_replicates, **arguments):
    job, parameters = fitted(X, model, size, **arguments)
    pair = ((model, size), (model, size + 1))
    with workers(1) as run:
        test = ratio_test(job.rows, *pair, job, run, n_replicates, begin=parameters)
    # Where no sound alternative exists, nothing is rejected.
    return 1.0 if test is None else test.p_value


def test_the_ratio_test_keeps_its_level():
    values = np.array(
        [
            p_value(np.random.default_rng(seed).normal(size=(60, 1)), "E", 1, 9, random_state=seed)
            for seed in range(60)
        ]
    )
    # Of 60 tests at 10 % (50 %), at most 12 (40) reject in 99.5 % of all such studies: binomial.
    assert (values <= 0.1).sum() <= 12
    assert 20 <= (values <= 0.5).sum() <= 40


@pytest.mark.parametrize("seed", range(4))
def test_one_group_too_few_is_always_noticed(seed):
    X = groups(seed)
    assert p_value(X, "EEE", 2, 19) == pytest.approx(1 / 20)
    assert p_value(X, "EEE", 3, 19) > 0.05


def test_junk_makes_no_mixture_significantly_better():
    rng = np.random.default_rng(3)
    X = np.concatenate(
        [rng.normal(size=(80, 2)), np.full((4, 2), 6.0) + 1e-5 * rng.normal(size=(4, 2))]
    )
    loose = Limits(smallest_size=0, floor_factor=0, moved_loglik=np.inf, moved_share=1, thinness=0)
    statistics = []
    for limits in (Limits(), loose):
        job, parameters = fitted(X, "VVV", 1, limits=limits)
        with workers(1) as run:
            pair = (("VVV", 1), ("VVV", 2))
            found = ratio_test(job.rows, *pair, job, run, 0, begin=parameters)
        statistics.append(found and found.statistic)
    # Without vetoes four rows within 1e-5 of each other gain what no honest component could; with
    # them nothing sound is left to test.
    assert statistics[0] is None
    assert statistics[1] > 100


def test_a_test_without_a_sound_alternative_is_none():
    job, parameters = fitted(groups(0), "VVV", 3, limits=Limits(smallest_size=60))
    with workers(1) as run:
        pair = (("VVV", 3), ("VVV", 4))
        assert ratio_test(job.rows, *pair, job, run, 5, begin=parameters) is None


def test_resolution_is_the_smallest_p_value():
    job, _ = fitted(groups(0), "EEE", 3)
    with workers(1) as run:
        test = null_test(job.rows, ("EEE", 3), job, run, 19)
    assert test.p_value == test.resolution == pytest.approx(1 / 20)
    assert (test.n_replicates, test.n_rows, test.ended_early) == (19, 120, False)


def ratio_of(X, n_replicates, *, n_threads=1, size=1):
    job, parameters = fitted(X, "EEE", size)
    pair = (("EEE", size), ("EEE", size + 1))
    with workers(n_threads) as run:
        return ratio_test(job.rows, *pair, job, run, n_replicates, begin=parameters)


def test_a_clear_outcome_ends_a_test_early_with_the_p_value_of_a_fixed_number():
    X = np.random.default_rng(5).normal(size=(80, 2))
    early = ratio_of(X, 99)
    assert early.ended_early
    assert early.n_replicates < 99
    assert early.p_value == pytest.approx(5 / early.n_replicates)
    # Of the simulations before the last, four reach the statistic: the same share either way.
    before = ratio_of(X, early.n_replicates - 1)
    assert not before.ended_early
    assert before.p_value == pytest.approx(early.p_value)


def test_a_significant_test_makes_every_simulation_and_is_as_fine_as_they_allow():
    test = ratio_of(groups(0), 99, size=2)
    assert (test.n_replicates, test.ended_early) == (99, False)
    assert test.p_value == test.resolution == pytest.approx(1 / 100)


def test_the_number_of_threads_changes_no_test():
    X = groups(2, n_rows=2500)
    assert ratio_of(X, 4, n_threads=1) == ratio_of(X, 4, n_threads=3)


def come_back(X, model, size, n_replicates, **options):
    job, parameters = fitted(X, model, size)
    with workers(1) as run:
        rows = bootstrap_rows(job)
        return stability(rows, parameters, model, job, run, n_replicates, **options)


def test_planted_clusters_come_back():
    found = come_back(groups(1), "EEE", 3, 20).summary()
    assert min(found["jaccard"]) >= 0.95
    assert found["reading"] == ["stable"] * 3
    assert max(found["standard_error"]) < 0.02
    assert (found["n_replicates"], found["n_rows"], found["n_vetoed"]) == (20, 120, 0)


@pytest.mark.parametrize("seed", range(3))
def test_noise_that_was_split_dissolves(seed):
    X = np.random.default_rng(seed).normal(size=(300, 2))
    found = come_back(X, "VVV", 3, 20).summary()
    assert "stable" not in found["reading"]
    assert "dissolved" in found["reading"]
    assert np.mean(found["jaccard"]) < 0.6


def test_one_split_cluster_among_sound_ones_is_told_apart():
    found = come_back(groups(2, n_rows=300), "EEE", 4, 20).summary()
    # The fourth component has no group of its own.
    assert found["reading"].count("dissolved") == 1
    assert found["reading"].count("stable") >= 2


def test_standard_errors_are_those_of_a_mean_and_shrink_with_replicates():
    X = np.random.default_rng(0).normal(size=(200, 2))
    few, many = come_back(X, "EII", 2, 10), come_back(X, "EII", 2, 90)
    np.testing.assert_array_equal(few.jaccard, many.jaccard[:10])
    expected = many.jaccard.std(axis=0, ddof=1) / np.sqrt(90)
    assert many.summary()["standard_error"] == pytest.approx(expected)
    ratio = np.mean(few.summary()["standard_error"]) / np.mean(many.summary()["standard_error"])
    # Nine times as many replicates: a third, within what ten values can tell of a spread.
    assert 3 / 2 < ratio < 3 * 2


def test_a_fit_can_leave_the_mixture_it_is_judged_by():
    X = groups(4, n_rows=200)
    job, good = fitted(X, "EII", 3)
    rows = job.rows
    family = resolve_model("EII", 2)
    wrong = start_from_labels(rows, np.arange(rows.n_distinct) % 3, 3, family, 1e-6)
    with workers(1) as run:
        found = stability(rows, wrong, "EII", job, run, 6)
        stuck = stability(rows, good, "EII", job, run, 6, n_fresh=0)
    assert np.nanmean(found.jaccard) < 0.6
    assert np.nanmean(stuck.jaccard) > 0.95


def test_stability_of_equal_rows_is_that_of_weighted_rows():
    X = groups(0, n_rows=60)
    repeated = come_back(np.repeat(X, 3, axis=0), "EEE", 3, 5)
    assert repeated.n_rows == 180
    assert repeated.summary()["reading"] == ["stable"] * 3


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_refits_of_tables_together_are_those_of_each_alone(model):
    job, _ = fitted(groups(0), model, 2)
    family = resolve_model(model, 2)
    tables = [collapse_rows(groups(seed, n_rows=n)) for seed, n in ((1, 120), (2, 60), (3, 90))]
    tables[1] = collapse_rows(1e3 * groups(2, n_rows=60))  # units and scales of its own
    starts = [
        fresh_starts(rows, 2, family, job, n_starts, place)
        for place, (rows, n_starts) in enumerate(zip(tables, (2, 1, 3), strict=True))
    ]
    with workers(2) as run:
        together = refit(tables, starts, family, job, run)
        sound = best_sound(together, tables, family, job, run)
        for rows, own, runs, best in zip(tables, starts, together, sound, strict=True):
            (alone,) = refit([rows], [own], family, job, run)
            assert [one.loglik for one in runs] == pytest.approx([one.loglik for one in alone])
            (expected,) = best_sound([alone], [rows], family, job, run)
            assert (best is None) == (expected is None)
            assert best is None or best.loglik == pytest.approx(expected.loglik)


def test_a_table_that_needs_differences_changes_nothing_for_its_neighbour():
    side = np.repeat([-1.0, 1.0], 60)[:, None]
    far = side + 1e-6 * np.random.default_rng(2).normal(size=(120, 2))
    job, _ = fitted(groups(0), "VVV", 2)
    family = resolve_model("VVV", 2)
    job = replace(job, settings=replace(job.settings, reg_covar=0.0))
    tables = [collapse_rows(groups(1)), collapse_rows(far)]
    narrow = start_from_labels(tables[1], (tables[1].values[0] > 0).astype(int), 2, family, 0.0)
    narrow = replace(narrow, covariances=narrow.covariances * 1e-8)
    starts = [fresh_starts(tables[0], 2, family, job, 2, 0), [narrow]]
    assert coefficients(narrow, family).direct.all()
    with workers(1) as run:
        together = refit(tables, starts, family, job, run)
        for rows, own, runs in zip(tables, starts, together, strict=True):
            (alone,) = refit([rows], [own], family, job, run)
            assert [one.loglik for one in runs] == pytest.approx([one.loglik for one in alone])


def test_tests_made_in_batches_are_those_made_one_by_one(monkeypatch):
    job, _ = fitted(groups(0), "VVV", 2)
    with workers(1) as run:
        made = {}
        for together in (1, 3, 10):
            monkeypatch.setattr(ratio, "_TOGETHER", together)
            made[together] = ratio.ratio_test(job.rows, ("VVV", 2), ("VVV", 3), job, run, 19)
    assert made[1].ended_early or made[1].n_replicates == 19
    for found in made.values():
        assert found.p_value == made[1].p_value
        assert found.n_replicates == made[1].n_replicates
        assert found.statistic == pytest.approx(made[1].statistic)


def test_the_best_sound_fit_is_not_the_vetoed_one():
    rng = np.random.default_rng(3)
    X = np.concatenate(
        [rng.normal(size=(80, 2)), np.full((4, 2), 0.3) + 1e-5 * rng.normal(size=(4, 2))]
    )
    job, one = fitted(X, "VVV", 1)
    rows, family = job.rows, resolve_model("VVV", 2)
    near = np.argsort(((rows.values.T + rows.centre - 0.3) ** 2).sum(axis=1))[:4]
    labels = np.isin(np.arange(rows.n_distinct), near).astype(int)
    starts = [start_from_labels(rows, labels, 2, family, 1e-6), *split_starts(one, family)]
    with workers(1) as run:
        (runs,) = refit([rows], [starts], family, job, run)
        (best,) = best_sound([runs], [rows], family, job, run)
    assert len(runs) == 2
    assert best is runs[1]


@pytest.mark.parametrize(
    ("value", "reading"),
    [
        (0.5, "dissolved"),
        (0.501, "doubtful"),
        (0.75, "valid"),
        (0.85, "stable"),
        (None, "not judged"),
    ],
)
def test_jaccard_is_read_as_fpc_reads_it(value, reading):
    assert read_jaccard(value) == reading
