"""A certificate says what to do instead, cause by cause."""

import numpy as np
import pandas as pd
import pytest

from cohortlab.mixture import Limits, explain, questions, search, stability_table
from cohortlab.mixture.advice import CAUSES, advise
from cohortlab.mixture.collapse import collapse_rows
from cohortlab.mixture.columns import find_troubles
from cohortlab.mixture.judgement import judge


def two_groups(seed=0, n_rows=150):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 2)) + np.repeat([[0, 0], [9, 0]], n_rows // 2, axis=0)
    return pd.DataFrame(X, columns=["length", "width"])


def certify(frame, sizes=(1, 2, 3), models=("VVV",), **arguments):
    arguments = {"n_init": 3, "n_bootstrap": 0} | arguments
    return search(frame, sizes, models, **arguments).certificate


SPOILT = {
    "constant column": (lambda frame: frame.assign(unit=1.0), "unit never varies", "drop it"),
    "badly scaled column": (
        lambda frame: frame.assign(
            share=frame["width"] * 1.5e-3 + np.sin(frame["length"] * 99) * 1.5e-3
        ),
        "share varies so little",
        "scale the columns",
    ),
    "collinear columns": (
        lambda frame: frame.assign(total=frame["length"] + frame["width"]),
        "length, width, total follow from each other",
        "drop one of them",
    ),
}


@pytest.mark.parametrize("cause", SPOILT)
def test_a_spoilt_column_is_named_with_its_remedy(cause):
    spoil, finding, remedy = SPOILT[cause]
    certificate = certify(spoil(two_groups()))
    assert certificate["verdict"] == "none"
    assert [name for name in CAUSES if CAUSES[name](certificate)] == [cause]
    (advice,) = certificate["advice"]
    assert finding in advice
    assert remedy in advice
    assert any(finding.lower() in line.lower() for line in explain(certificate))


def test_sound_columns_have_no_trouble_and_a_sound_choice_no_advice():
    certificate = certify(two_groups())
    assert certificate["verdict"] == "sound"
    assert certificate["advice"] == []
    assert not any(
        certificate["data"][name]
        for name in ("constant", "badly_scaled", "collinear", "few_values")
    )
    assert "What to do instead?" not in questions(certificate)


@pytest.mark.parametrize(
    ("column", "trouble"),
    [
        (np.full(50, 1e8), "constant"),
        (np.full(50, 3.0), "constant"),
        (np.linspace(0, 1e-3, 50), "badly_scaled"),
        (np.linspace(0, 1, 50) ** 2 * 10, None),
        (np.arange(50.0) % 2, "few_values"),
        (np.arange(50.0) % 5, "few_values"),
        (np.arange(50.0) % 6, None),
    ],
)
def test_troubles_of_columns_are_told_apart(column, trouble):
    X = np.column_stack([np.random.default_rng(0).normal(size=50) * 3, column])
    found = find_troubles(collapse_rows(X), None, 1e-5, 1e10)
    told = "column 1"
    if trouble == "few_values":
        told = f"column 1 takes {len(set(column))} values"
    assert {name for name in found if found[name]} == ({trouble} if trouble else set())
    assert found.get(trouble, [told]) == [told]


@pytest.mark.parametrize(("noise", "collinear"), [(0.0, True), (1e-3, True), (0.1, False)])
def test_columns_are_collinear_up_to_the_floor(noise, collinear):
    rng = np.random.default_rng(0)
    first, second, other = rng.normal(size=(3, 80))
    X = np.column_stack([first, other, second, first - 2 * second + noise * rng.normal(size=80)])
    found = find_troubles(collapse_rows(X), ("a", "b", "c", "d"), 1e-5, 1e10)
    assert found["collinear"] == (["a", "c", "d"] if collinear else [])


def test_mass_points_are_to_be_set_apart():
    rng = np.random.default_rng(0)
    X = np.concatenate([np.zeros((300, 2)), rng.normal(size=(200, 2))])
    certificate = certify(X)
    assert certificate["verdict"] == "doubtful"
    assert "exact points hold 60% of the rows" in certificate["doubts"][0]
    text = " ".join(certificate["advice"])
    assert "1 exact mass point holds 60% of the rows" in text
    assert "search more" not in text


def test_a_choice_at_the_end_of_a_short_range_asks_for_a_longer_one():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)) + 9 * np.arange(5)[rng.integers(0, 5, 300)][:, None]
    certificate = certify(X, models=("EEE",))
    assert certificate["edge"]["chosen_at_edge"]
    assert any("search more, up to 6" in text for text in certificate["advice"])
    assert not any("edge of any search" in text for text in certificate["advice"])
    longer = certify(X, range(1, 7), ("EEE",))
    assert longer["n_components"] == 5
    assert longer["advice"] == []


@pytest.fixture(scope="module")
def certificate():
    return certify(two_groups(), models=("EEE",), n_bootstrap=19, n_stability=10)


def test_every_cause_keeps_silent_on_a_sound_choice(certificate):
    assert [name for name in CAUSES if CAUSES[name](certificate)] == []


CHANGES = {
    "few values": (
        "data",
        {"few_values": ["width takes 2 values"]},
        "set apart the rows of a value, spread",
    ),
    "mass points": ("data", {"mass_points": 2, "mass_share": 0.3}, "set them apart"),
    "range too short": ("edge", {"chosen_at_edge": True}, "search more, up to 6"),
    "range starts late": ("edge", {"chosen_at_start": True}, "search fewer too, from 1"),
    "criterion runs away": ("edge", {"raw_at_edge": True, "raw_junk_share": 0.5}, "ICL"),
    "too few rows": ("data", {"total_weight": 20.0}, "fewer components or a simpler model"),
    "not converged": ("figures", {"converged": False}, "max_iter"),
    "one lonely start": ("starts", {"tried": 5, "agreeing": 1}, "n_init"),
    "one component more": (
        "likelihood_ratio",
        {"p_value": 0.05, "n_replicates": 19, "ended_early": False},
        "3 components fit better",
    ),
    "like noise": ("null_test", {"p_value": 0.5, "ended_early": True}, "report one group"),
    "components dissolve": (
        "stability",
        {"reading": ["stable", "dissolved"]},
        "ask for fewer, 1 or",
    ),
}


@pytest.mark.parametrize("cause", CHANGES)
def test_each_cause_has_its_own_remedy(certificate, cause):
    block, figures, remedy = CHANGES[cause]
    changed = certificate | {block: certificate[block] | figures}
    assert [name for name in CAUSES if CAUSES[name](changed)] == [cause]
    (advice,) = advise(changed)
    assert remedy in advice


@pytest.mark.parametrize("cause", ["range too short", "criterion runs away"])
def test_a_choice_by_icl_is_not_told_to_choose_by_icl(certificate, cause):
    block, figures, _ = CHANGES[cause]
    changed = certificate | {"criterion": "icl", block: certificate[block] | figures}
    text = CAUSES[cause](changed)
    assert "try another transformation" in text
    assert "choose by ICL" not in text


def test_the_gain_without_junk_is_named_as_bic_whatever_was_chosen_by(certificate):
    beyond = [{"n_components": 3, "gain": 50.0}]
    edge = {"raw_at_edge": True, "sound_up_to": 2, "beyond": beyond}
    changed = judge(certificate | {"criterion": "icl", "edge": certificate["edge"] | edge})
    assert "ICL falls to the edge" in changed["doubts"][0]
    assert "more components lower BIC even on the rows that no junk holds" in changed["doubts"][0]


def test_every_cause_is_tested():
    assert set(SPOILT) | set(CHANGES) == set(CAUSES)


def test_vetoes_without_a_known_cause_ask_for_simpler_models(certificate):
    changed = judge(certificate | {"vetoed": True, "raw_winner": {"reasons": ["thin"]}})
    assert changed["verdict"] == "none"
    assert "simpler models" in changed["advice"][0]


def test_questions_begin_with_the_model_the_reason_and_the_verdict(certificate):
    answers = questions(certificate)
    assert list(answers)[:3] == ["Which model?", "Why this one?", "Is it to be believed?"]
    assert answers["Is it to be believed?"][0] == "Nothing speaks against this choice."
    assert [line for answer in answers.values() for line in answer] == explain(certificate)
    assert "0.050 is the smallest it could be" in answers["Would one bell alone look like this?"][0]
    assert "2 stable" in answers["Do the components come back in other samples?"][0]


MORE = {"p_value": 0.02, "n_replicates": 49, "ended_early": False}


@pytest.mark.parametrize("criterion", ["bic", "icl"])
def test_a_test_that_asks_for_more_than_the_criterion_is_weighed_in_one_sentence(
    certificate, criterion
):
    asked = certificate | {
        "criterion": criterion,
        "likelihood_ratio": certificate["likelihood_ratio"] | MORE,
        "one_more": {"gap": 12.5, "sound": True},
    }
    asked[criterion] = 1000.0
    found, weighed = questions(asked)["Would one component more fit better?"]
    assert "3 components fit significantly better than 2" in found
    assert f"{criterion.upper()} is 12.50 higher with 3" in weighed
    assert "keep 2 to describe groups" in weighed
    assert ("lie apart from the others" in weighed) == (criterion == "icl")


def test_a_test_that_asks_for_what_is_vetoed_says_so(certificate):
    ratio = certificate["likelihood_ratio"] | MORE
    asked = certificate | {"likelihood_ratio": ratio, "one_more": {"gap": -50.0, "sound": False}}
    _, weighed = questions(asked)["Would one component more fit better?"]
    assert "the test and the vetoes disagree: on all rows EEE with 3 has no sound" in weighed


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"one_more": None, "likelihood_ratio": MORE},
        {"one_more": {"gap": -50.0, "sound": False}},
    ],
)
def test_nothing_is_said_of_a_disagreement_where_there_is_none(certificate, changes):
    ratio = certificate["likelihood_ratio"] | changes.get("likelihood_ratio", {})
    asked = certificate | changes | {"likelihood_ratio": ratio}
    assert len(questions(asked)["Would one component more fit better?"]) == 1


def test_the_price_of_one_component_more_is_the_gap_to_its_own_cell():
    found = search(two_groups(), range(1, 4), ["EII", "EEE"], n_init=3, n_bootstrap=0)
    bic = found.table.set_index(["model", "n_components"])["sound_bic"]
    model, size = found.best.model, found.best.n_components
    assert size == 2
    expected = {"gap": pytest.approx(bic[model, 3] - bic[model, 2]), "sound": True}
    assert found.certificate["one_more"] == expected
    alone = search(two_groups(), [2], ["EEE"], n_init=3, n_bootstrap=0)
    assert alone.certificate["one_more"] is None


def test_stability_is_laid_out_by_component(certificate):
    table = stability_table(certificate)
    assert table["reading"].tolist() == ["stable", "stable"]
    assert table["jaccard"].tolist() == certificate["stability"]["jaccard"]
    assert stability_table(certificate | {"stability": None}).empty


def test_stability_is_not_judged_on_samples_of_too_few_rows():
    frame = two_groups()
    with pytest.warns(UserWarning, match="w.sum"):
        found = certify(
            frame,
            [2],
            ["EEE"],
            sample_weight=np.full(150, 0.05),
            limits=Limits(smallest_size=4),
            n_bootstrap=1,
            n_stability=2,
        )
    assert found["stability"] is None
    (told,) = questions(found)["Do the components come back in other samples?"]
    assert "weights that add up to 7.5" in told


def test_a_column_of_zeros_and_ones_is_named_instead_of_a_logarithm():
    X = np.random.default_rng(0).integers(0, 2, (300, 2)).astype(float)
    certificate = certify(pd.DataFrame(X, columns=["buyer", "member"]), range(1, 5))
    text = " ".join(certificate["advice"])
    assert "buyer takes 2 values, member takes 2 values" in text
    assert "set apart the rows of a value, spread" in text
    assert "log1p" not in text
