"""Numbers held to their interval, and every test of the package to a level between 0 and 1."""

import numpy as np
import pytest

from cohortlab.bipartite import summarise
from cohortlab.intervals import is_within, require_within
from cohortlab.recovery import null_relations, propensity_recovery, relation_recovery
from cohortlab.rules import confirm_rules, contrast_rules


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("(0, 1)", [0.5, 1e-300], [0, 1, -1, 2]),
        ("(0, 1]", [0.5, 1, True], [0, 1.0000001]),
        ("[0, 0.5]", [0, 0.5, -0.0], [-1e-9, 0.51]),
        ("[2, inf)", [2, 10**30], [1, float("inf")]),
        ("(0, inf)", [1e-9, np.float32(3)], [0, float("inf")]),
    ],
)
def test_a_square_bracket_includes_its_bound(interval, inside, outside):
    assert all(is_within(value, interval) for value in inside)
    assert not any(is_within(value, interval) for value in [*outside, float("nan")])


def test_a_number_outside_is_named_with_its_interval():
    require_within(0.5, "(0, 1)", name="share")
    with pytest.raises(ValueError, match=r"share is 1: give a number in \(0, 1\)"):
        require_within(1, "(0, 1)", name="share")


# The level is looked at first: what else is given does not matter here.
CALLS = {
    "confirm_rules": lambda alpha: confirm_rules(None, None, alpha=alpha),
    "contrast_rules": lambda alpha: contrast_rules(None, None, alpha=alpha),
    "summarise": lambda alpha: summarise(None, None, None, alpha=alpha, rng=None),
    "relation_recovery": lambda alpha: relation_recovery(None, None, {}, {}, alpha=alpha),
    "propensity_recovery": lambda alpha: propensity_recovery(None, None, {}, {}, alpha=alpha),
    "null_relations": lambda alpha: null_relations(None, None, None, alpha=alpha, rng=None),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("alpha", [0, 1, 1.0, -0.05, float("nan")])
def test_a_level_that_is_none_is_refused_wherever_one_is_used(name, alpha):
    with pytest.raises(ValueError, match=r"alpha is .*: give a number in \(0, 1\)"):
        CALLS[name](alpha)
