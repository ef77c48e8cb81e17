import re

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY
from segments.making import random_rfm

from cohortlab.run.project import read_params
from cohortlab.segments import fit_scores, name_centres

RULES = read_params(REPOSITORY)["studies"]["customers"]["segments"]["cluster_rules"]


def names_of_rows(scores, labels):
    names = name_centres(scores.groupby(labels).mean(), RULES)
    return names.loc[labels].tolist()


@pytest.mark.parametrize("ids", [[2, 0, 3, 1, 4], [10, -3, 7, 99, 5], ["d", "b", "a", "c", "e"]])
def test_other_ids_for_the_same_clusters_change_no_name(ids):
    rfm = random_rfm(1)
    scores = fit_scores(rfm).apply(rfm)
    labels = np.random.default_rng(2).integers(5, size=len(rfm))
    labels[scores["recency"] == 5] = 0
    assert names_of_rows(scores, labels) == names_of_rows(scores, np.array(ids)[labels])


def test_the_first_rule_that_fits_names_and_likes_are_numbered_by_their_centres():
    centres = pd.DataFrame(
        {
            "recency": [4.9, 4.0, 1.0, 1.0, 3.0, 4.2],
            "frequency": [4.0, 1.0, 1.0, 5.0, 1.0, 4.5],
            "monetary": [4.0, 1.0, 1.0, 5.0, 3.0, 3.5],
        }
    )
    assert name_centres(centres, RULES).tolist() == [
        "core 1",
        "newcomers",
        "gone",
        "valuable but fading",
        "occasional",
        "core 2",
    ]
    assert name_centres(centres, RULES[:-1]).tolist()[4] == "mixed"


def test_clusters_of_one_name_are_numbered_from_the_best():
    centres = pd.DataFrame({"recency": [4.5, 4.0, 4.0], "monetary": [3.0, 5.0, 3.6]})
    assert name_centres(centres, [{"name": "a"}]).tolist() == ["a 3", "a 1", "a 2"]


def test_bounds_belong_to_the_rule():
    centres = pd.DataFrame({"recency": [2.0, 3.0, 3.1]})
    rules = [{"name": "a", "recency": [2, 3]}, {"name": "b"}]
    assert name_centres(centres, rules).tolist() == ["a 2", "a 1", "b"]


@pytest.mark.parametrize("rule", [{"recency": [1, 2]}, {"name": "a", "money": [1, 2]}])
def test_a_rule_without_a_name_or_on_an_unknown_column_is_refused(rule):
    with pytest.raises(ValueError, match="cluster rule 2"):
        name_centres(pd.DataFrame({"recency": [1.0]}), [{"name": "x"}, rule])


@pytest.mark.parametrize(
    "bounds", [[4], 4, "high", [1, 2, 3], ["low", None], [True, None], [4, 2], [float("nan"), 3]]
)
def test_bounds_that_are_none_are_refused_with_rule_and_column(bounds):
    rules = [{"name": "x"}, {"name": "a", "recency": bounds}]
    message = r"cluster rule 2, recency: expected \[lowest, highest\].*got " + re.escape(
        repr(bounds)
    )
    with pytest.raises(ValueError, match=message):
        name_centres(pd.DataFrame({"recency": [1.0]}), rules)


@pytest.mark.parametrize("rule", ["core", {"name": 5}, {"name": ["a"], "recency": [1, 2]}, None])
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(ValueError, match="cluster rule 1: expected `name`, text"):
        name_centres(pd.DataFrame({"recency": [1.0]}), [rule])
