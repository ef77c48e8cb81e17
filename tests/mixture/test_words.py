"""What is said of merges, and of a choice to those who build on it."""

import numpy as np
import pytest

from cohortlab.mixture import conclusion, explain_merges, merge_components
from cohortlab.mixture.merge import NEGLIGIBLE
from cohortlab.mixture.readings import say_size

# Two pairs of components, none of which can be told from its partner, and one that stands alone.
PAIRS = np.repeat(
    [[0.5, 0.0, 0.5, 0.0, 0.0], [0.0, 0.6, 0.0, 0.4, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]], 10, axis=0
)


def certificate_with(verdict, doubts=(), n_bootstrap=19):
    chosen = {"criterion": "bic", "bic": 1234.5, "model": "VVV", "n_components": 3}
    settings = {"n_bootstrap": n_bootstrap}
    return {**chosen, "verdict": verdict, "doubts": list(doubts), "settings": settings}


def test_each_merge_lists_all_components_that_it_joins():
    *merges, left = explain_merges(merge_components(PAIRS))
    assert [merge.split(",")[0] for merge in merges] == [
        "to 4: components 0 and 2",
        "to 3: components 1 and 3",
        "to 2: components 0 + 2 and 1 + 3",
        "to 1: components 0 + 1 + 2 + 3 and 4",
    ]
    assert merges[0].endswith(f"{10 * np.log(2):,.0f} less entropy")
    assert left.startswith("3 clusters can be told apart, with 0.0% of full doubt: at most 2%")


def test_where_nothing_lies_apart_the_least_doubt_is_told():
    # Each row is 80 % sure of one of three: merging two leaves some doubt about the third.
    shares = np.full((30, 3), 0.1) + 0.7 * np.eye(3)[np.arange(30) % 3]
    tree = merge_components(shares)
    left = explain_merges(tree)[-1]
    doubt = tree.steps.set_index("n_clusters")["doubt"][[2, 3]]
    assert tree.n_apart() == 1
    assert doubt.min() > NEGLIGIBLE
    assert left == (
        f"No two groups can be told apart: the least doubt, with {doubt.idxmin()} clusters, is "
        f"{doubt.min():.1%} of full doubt, and at most 2% is asked of clusters that lie apart."
    )


def test_one_component_has_no_merge():
    assert explain_merges(merge_components(np.ones((5, 1)))) == [
        "There is one component, so nothing to merge."
    ]


@pytest.mark.parametrize(
    ("verdict", "opening", "meaning"),
    [
        ("doubtful", "Treat this choice with doubt", "no firm finding"),
        ("none", "There is no good choice among the mixtures searched", "no discovery"),
    ],
)
def test_clusters_of_a_mixture_that_is_not_sound_are_said_to_be_no_finding(
    verdict, opening, meaning
):
    which, told, meant = conclusion(certificate_with(verdict, ["it is odd", "it is late"]))
    assert which == "Chosen by BIC: model VVV with 3 components, BIC 1,234.50."
    assert told == f"{opening}: it is odd; it is late."
    assert meaning in meant


@pytest.mark.parametrize(
    ("n_bootstrap", "told"), [(19, "Nothing speaks against this choice."), (0, "no bootstrap test")]
)
def test_of_a_sound_mixture_nothing_is_said_against_clusters(n_bootstrap, told):
    sentences = conclusion(certificate_with("sound", n_bootstrap=n_bootstrap))
    assert len(sentences) == 2
    assert told in sentences[1]


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (1, "cell", "1 cell"),
        (0, "cell", "0 cells"),
        ("1", "row", "1 row"),
        ("1.2", "row", "1.2 rows"),
    ],
)
def test_one_is_in_the_singular(number, noun, said):
    assert say_size(number, noun) == said
