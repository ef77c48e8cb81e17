import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY
from scipy import sparse

from cohortlab import precompile
from cohortlab.anomalies import joining, reach, train
from cohortlab.bipartite import permutations, relations
from cohortlab.mixture import kernels as passes
from cohortlab.mixture import search
from cohortlab.rules import (
    association_rules,
    confirm_rules,
    evidence,
    frequent_itemsets,
    shuffle_baskets,
    shuffling,
)
from cohortlab.rules import kernels as trees


def use_mixtures():
    values = np.random.default_rng(1).normal(size=(60, 3))
    search(values, n_components=(1, 2), n_init=2, n_bootstrap=0, random_state=0)


def use_rules():
    frame = pd.DataFrame(
        {"basket_id": np.arange(60) // 3, "item": list("abcbdfacd" * 6 + "abcdef")}
    )
    for target in ("all", "closed", "maximal"):
        frequent_itemsets(frame, 0.1, target=target)
    rules = association_rules(frequent_itemsets(frame, 0.1), min_threshold=0.1)
    confirm_rules(rules, frame.assign(person_id=frame["basket_id"] // 2))
    shuffle_baskets(frame, rng=np.random.default_rng(1))


def use_relations():
    rng = np.random.default_rng(1)
    incidence = sparse.csr_array(rng.poisson(1.0, (30, 9)))
    people, items = (rng.choice(["a", "b", "c"], n) for n in incidence.shape)
    relations(incidence, people, items, permutation="labels", n_permutations=3, rng=rng)


def use_anomalies():
    values = np.random.default_rng(1).normal(size=(90, 5))
    values[:45] += 20
    train("dbscan", values, options={"min_samples": 4})
    train("hdbscan", values, options={"min_cluster_size": 9, "max_rows": 60})


@pytest.mark.parametrize(
    ("compile_part", "use", "loops"),
    [
        (
            precompile.compile_anomalies,
            use_anomalies,
            [joining.join_round, joining.join_links, reach.search_members],
        ),
        (precompile.compile_mixtures, use_mixtures, [passes.run_rows]),
        (precompile.compile_relations, use_relations, [permutations._add_rows]),
        (
            precompile.compile_rules,
            use_rules,
            [trees.mine_tree, shuffling._trade, evidence._add_by_person],
        ),
    ],
)
def test_what_studies_call_is_compiled_before(compile_part, use, loops):
    compile_part()
    before = [list(loop.signatures) for loop in loops]
    assert all(before)
    use()
    assert [list(loop.signatures) for loop in loops] == before


def test_setup_compiles():
    assert "python -m cohortlab.precompile" in (REPOSITORY / "Makefile").read_text()
