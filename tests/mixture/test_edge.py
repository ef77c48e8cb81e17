"""What a certificate says where the raw criterion falls to the edge."""

import numpy as np
import pytest

from cohortlab.mixture import explain, search
from cohortlab.mixture.edge import gain_without_junk
from cohortlab.mixture.judgement import judge


def test_a_choice_where_vetoes_begin_is_none(spread_sessions):
    found = search(spread_sessions, range(1, 11), ["VVV"], n_init=3, reg_covar=1e-4, n_bootstrap=0)
    certificate, edge = found.certificate, found.certificate["edge"]
    assert edge["raw_at_edge"]
    assert not edge["chosen_at_edge"]
    assert not edge["sound_beyond"]
    # Whatever junk the one raw winner has: the other sizes speak too.
    assert judge(certificate | {"edge": edge | {"raw_junk_share": 0.0}})["verdict"] == "none"
    assert sum(one["gain"] > 10 for one in edge["beyond"]) >= 2
    assert certificate["verdict"] == "none"
    assert certificate["advice"]
    words = " ".join(explain(certificate))
    size = certificate["n_components"]
    assert "is lowest at the largest size on offer" in words
    assert f"No sound optimum of VVV was found beyond {size} components" in words
    assert f"beyond {size} components vetoes begin" in words


def test_raw_edge_is_told_where_the_choice_is_sound(diabetes):
    found = search(diabetes, range(1, 9), ["VVV"], n_init=5, n_bootstrap=0)
    assert found.certificate["verdict"] == "sound"
    lines = explain(found.certificate)
    assert any("is lowest at the largest size on offer" in line for line in lines)
    assert not any("No sound optimum" in line for line in lines)


@pytest.fixture(scope="module")
def certificate():
    X = np.random.default_rng(0).normal(size=(200, 2)) + np.repeat([[0, 0], [9, 0]], 100, axis=0)
    found = search(X, range(1, 5), ["EEE"], n_init=3, n_bootstrap=19)
    assert found.certificate["verdict"] == "sound"
    return found.certificate


@pytest.mark.parametrize(
    ("gains", "sound_up_to", "verdict"),
    [
        ((50.0, 90.0), 2, "none"),
        ((50.0, 90.0), 4, "sound"),
        ((50.0, 90.0, 90.0), 3, "none"),
        ((50.0, 90.0, 3.0), 3, "sound"),
        ((-7.0, 90.0, 90.0), 3, "sound"),
        ((-5.0, 90.0, 3.0), 2, "sound"),
        ((90.0,), 2, "none"),
        ((9.0, 9.0), 2, "sound"),
    ],
)
def test_several_larger_sizes_must_gain_without_junk(certificate, gains, sound_up_to, verdict):
    beyond = [{"n_components": 3 + place, "gain": gain} for place, gain in enumerate(gains)]
    edge = {"raw_at_edge": True, "raw_junk_share": 0.0}
    sound = {"sound_beyond": sound_up_to > 2, "sound_up_to": sound_up_to}
    edge = certificate["edge"] | edge | sound | {"beyond": beyond}
    assert judge(certificate | {"edge": edge})["verdict"] == verdict


@pytest.mark.parametrize(("n_replicates", "enough"), [(5, False), (18, False), (19, True)])
def test_too_few_simulations_raise_no_doubt_and_are_told(certificate, n_replicates, enough):
    least = {"p_value": 1 / (n_replicates + 1), "n_replicates": n_replicates, "ended_early": False}
    changed = {name: certificate[name] | least for name in ("likelihood_ratio", "null_test")}
    judged = certificate | changed
    judged |= judge(judged)
    assert (judged["verdict"] == "doubtful") == enough
    words = " ".join(explain(judged))
    assert words.count("had too few simulations") == (0 if enough else 2)
    assert ("hardly ever" in words) == enough


def test_a_test_that_ended_early_has_seen_enough(certificate):
    clear = {"p_value": 10 / 12, "n_replicates": 12, "ended_early": True}
    judged = certificate | {"null_test": certificate["null_test"] | clear}
    judged |= judge(judged)
    assert any("by chance" in doubt for doubt in judged["doubts"])
    assert "too few" not in " ".join(explain(judged))


def test_the_smallest_size_searched_is_an_edge_too():
    X = np.random.default_rng(0).normal(size=(300, 2))
    certificate = search(X, range(2, 8), ["EII", "EEE"], n_init=2, n_bootstrap=0).certificate
    assert certificate["n_components"] == 2
    assert certificate["verdict"] == "doubtful"
    assert "smallest number of components searched, 2: fewer might do" in certificate["doubts"][0]
    assert any("search fewer too, from 1" in text for text in certificate["advice"])
    words = " ".join(explain(certificate))
    assert "2 components are the fewest searched" in words
    assert "inside the range" not in words


def test_one_component_is_no_edge_of_a_search_from_one():
    X = np.random.default_rng(0).normal(size=(300, 2))
    certificate = search(X, range(1, 4), ["EII"], n_init=2, n_bootstrap=0).certificate
    assert certificate["n_components"] == 1
    assert not certificate["edge"]["chosen_at_start"]
    assert certificate["doubts"] == []


def test_one_size_searched_is_said_to_be_compared_with_none():
    X = np.random.default_rng(0).normal(size=(300, 2))
    certificate = search(X, 1, ["EII", "EEE"], n_init=2, n_bootstrap=0).certificate
    told = "one size was searched, 1 component, so it was compared with no other"
    assert told in certificate["cautions"]
    assert explain(certificate).count(f"{told[0].upper()}{told[1:]}.") == 1


@pytest.mark.parametrize("falls", [False, True])
def test_icl_is_offered_only_where_it_does_not_fall_to_the_edge(certificate, falls):
    edge = {"raw_at_edge": True, "raw_junk_share": 0.5, "icl_at_edge": falls}
    judged = judge(certificate | {"edge": certificate["edge"] | edge})
    text = " ".join(judged["advice"])
    assert ("choose by ICL" in text) == (not falls)
    assert ("ICL falls there too" in text) == falls


@pytest.mark.parametrize("size", [3, 5])
def test_icl_of_session_features_is_at_the_edge_of_a_short_search_alone(spread_sessions, size):
    # Raw ICL falls up to seven components of these features, whatever BIC does beyond.
    found = search(spread_sessions, range(1, size + 1), ["VVV"], "icl", n_init=2, n_bootstrap=0)
    assert found.certificate["edge"]["icl_at_edge"]
    assert found.certificate["verdict"] == "none"
    assert "choose by ICL" not in " ".join(found.certificate["advice"])


def test_icl_of_session_features_has_its_bottom_inside_a_wide_search(spread_sessions):
    settings = {"n_init": 2, "reg_covar": 1e-4, "n_bootstrap": 0}
    found = search(spread_sessions, range(1, 13), ["VVV"], "icl", **settings)
    table, certificate = found.table.set_index("n_components"), found.certificate
    size, edge = found.best.n_components, certificate["edge"]
    assert not edge["chosen_at_edge"]
    assert not edge["raw_at_edge"]
    # All sizes beyond are vetoed, but raw ICL rises there too: vetoes did not make the choice.
    beyond = table.loc[size + 1 :]
    assert len(beyond) >= 4
    assert beyond["verdict"].str.startswith("vetoed").all()
    assert beyond["icl"].min() > table.loc[size, "sound_icl"] == table["icl"].min()
    assert certificate["verdict"] != "none"
    # Were raw ICL lowest at the edge, the same cells would make it a choice that vetoes made.
    own = next(cell for cell in found.cells if cell.n_components == size)
    gains = [
        {
            "n_components": cell.n_components,
            "gain": gain_without_junk(cell, (own, own.sound), found.job),
        }
        for cell in found.cells
        if cell.n_components > size
    ]
    at_edge = edge | {"raw_at_edge": True, "beyond": gains}
    assert judge(certificate | {"edge": at_edge})["verdict"] == "none"
    enough = at_edge | {"beyond": [one | {"gain": 0.0} for one in gains]}
    assert judge(certificate | {"edge": enough})["verdict"] == certificate["verdict"]
