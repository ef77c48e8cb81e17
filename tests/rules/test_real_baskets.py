"""Rules of a real shop: what is confirmed makes sense, and shuffled baskets give nothing."""

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY
from rules.making import real

from cohortlab.features.invoices import baskets as invoice_baskets
from cohortlab.rules import confirmed_rules, discover_and_confirm, shuffle_baskets
from cohortlab.sources import read_invoices

SEARCH = {"min_threshold": 0.3, "max_len": 3}
#: Words of titles that many products share and that make no family: sizes, colours, little words.
FILLERS = {
    "A",
    "AND",
    "IN",
    "OF",
    "ON",
    "THE",
    "WITH",
    "FOR",
    "SET",
    "PACK",
    "BOX",
    "SMALL",
    "LARGE",
}
FILLERS |= {"BLACK", "BLUE", "CREAM", "GOLD", "GREEN", "IVORY", "ORANGE", "PINK", "PURPLE", "RED"}
FILLERS |= {"SILVER", "WHITE", "YELLOW"}


def family(items, titles):
    """Words of the titles that may name a family of products."""
    words = set().union(*(titles[item].split() for item in items))
    return {word for word in words if word not in FILLERS and not any(map(str.isdigit, word))}


@pytest.fixture(scope="module")
def online_retail(tmp_path_factory):
    path = str(real("online_retail/data.csv.xz"))
    invoices = read_invoices(path, scratch=tmp_path_factory.mktemp("retail")).tables["invoices"]
    named = invoices.group_by("stock_code").aggregate(title=invoices.description.min()).execute()
    titles = named.set_index("stock_code")["title"].to_dict()
    return invoice_baskets(invoices).execute(), titles


@pytest.mark.parametrize(
    ("min_support", "pair"),
    [
        (0.01, ("HERB MARKER THYME", "HERB MARKER ROSEMARY")),
        (0.02, ("GREEN REGENCY TEACUP AND SAUCER", "PINK REGENCY TEACUP AND SAUCER")),
    ],
)
def test_what_everybody_would_expect_is_among_the_ten_surest_rules(
    online_retail, min_support, pair
):
    baskets, titles = online_retail
    found = discover_and_confirm(baskets, min_support, rng=np.random.default_rng(0), **SEARCH)
    best = confirmed_rules(found.table).head(10)
    assert len(best) == 10
    sides = zip(best["antecedents"], best["consequents"], strict=True)
    assert frozenset(pair) in [frozenset(titles[item] for item in a | b) for a, b in sides]
    # The people who judge had no part in finding: what they say is near what was found.
    assert (best["lift"] / best["discovery lift"]).between(0.5, 1.5).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_ten_surest_rules_at_the_support_that_is_shipped_join_products_of_a_family(
    online_retail, seed
):
    baskets, titles = online_retail
    step = yaml.safe_load((REPOSITORY / "params.yaml").read_text())["studies"]["customers"]["rules"]
    assert {name: step[name] for name in SEARCH} == SEARCH
    rng = np.random.default_rng(seed)
    found = discover_and_confirm(baskets, step["min_support"], rng=rng, **SEARCH)
    best = confirmed_rules(found.table).head(10)
    sides = zip(best["antecedents"], best["consequents"], strict=True)
    assert len(best) == 10
    assert all(family(left, titles) & family(right, titles) for left, right in sides)
    assert (best["lift"] > 50).all()
    assert (best["people"] >= 25).all()
    assert (best["confidence"] > 0.6).all()
    # No few customers make them, and what they say is near what was found.
    assert (best["design_effect"] < 2.5).all()
    assert (best["lift"] / best["discovery lift"]).between(0.5, 2.0).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_same_baskets_shuffled_give_none(online_retail, seed):
    rng = np.random.default_rng(seed)
    shuffled = shuffle_baskets(online_retail[0], rng=rng)
    found = discover_and_confirm(shuffled, 0.005, rng=rng, **SEARCH)
    assert found.n_rules > 100
    assert found.n_confirmed == 0
