import copy
import json

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY
from ruamel.yaml import YAML

from cohortlab.sources import read_baskets
from cohortlab.sources.kinds import KINDS
from cohortlab.synthetic import generate_basket_log

EXAMPLE = YAML(typ="safe").load((REPOSITORY / "examples" / "baskets.yaml").read_text())["data"]
SETTINGS = EXAMPLE["synthetic"]


def generate(folder, seed=1, **changes):
    settings = copy.deepcopy(SETTINGS) | changes
    rng = np.random.default_rng(seed)
    counts = generate_basket_log(folder / "raw", folder / "truth", rng=rng, **settings)
    return counts, pd.read_csv(folder / "raw" / "baskets.csv")


NO_FAULTS = dict.fromkeys(SETTINGS["faults"], 0.0)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        generate(tmp_path / name)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 8
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_planted_pairs_come_with_their_probability(tmp_path):
    _, rows = generate(tmp_path, n_people=3000, faults=NO_FAULTS)
    pairs = pd.read_csv(tmp_path / "truth" / "pairs.csv")
    assert len(pairs) == 3
    baskets = rows.groupby("item")["basket_id"].agg(set)
    for pair in pairs.itertuples():
        first = baskets[pair.antecedent]
        share = len(first & baskets[pair.consequent]) / len(first)
        # Four standard errors of a share.
        error = 4 * np.sqrt(pair.probability * (1 - pair.probability) / len(first))
        assert share == pytest.approx(pair.probability, abs=error)


def test_types_buy_of_the_departments_as_planted(tmp_path):
    _, rows = generate(tmp_path, n_people=3000, faults=NO_FAULTS, pairs=[])
    types = pd.read_parquet(tmp_path / "truth" / "people.parquet")
    items = pd.read_parquet(tmp_path / "truth" / "items.parquet")
    merged = rows.merge(types, on="person_id").merge(items, on="item")
    found = pd.crosstab(merged["person_type"], merged["item_group"], normalize="index")
    planted = pd.read_csv(tmp_path / "truth" / "relation.csv")
    planted = planted.pivot(index="person_type", columns="item_group", values="propensity")
    # Some 8,000 draws of the rarest type: a standard error of 0.005.
    assert (found - planted).abs().max(axis=None) < 0.02


def test_households_go_with_types(tmp_path):
    generate(tmp_path, n_people=4000)
    types = pd.read_parquet(tmp_path / "truth" / "people.parquet")
    people = pd.read_csv(tmp_path / "raw" / "people.csv").merge(types, on="person_id")
    found = pd.crosstab(people["person_type"], people["household"], normalize="index")
    for name, profile in SETTINGS["types"].items():
        assert found.loc[name].to_dict() == pytest.approx(profile["household"], abs=0.05)


def test_no_item_is_twice_in_a_basket(tmp_path):
    _, rows = generate(tmp_path, faults=NO_FAULTS)
    assert not rows.duplicated(["basket_id", "item"]).any()
    assert rows["value"].min() > 0


def test_the_reader_finds_every_planted_fault(tmp_path):
    faults = {name: 0.01 * (place + 1) for place, name in enumerate(NO_FAULTS)}
    counts, _ = generate(tmp_path, n_people=300, faults=faults)
    path = KINDS["baskets"].paths_in(tmp_path / "raw")
    log = read_baskets(path, columns=EXAMPLE["columns"], scratch=tmp_path / "scratch")
    found = log.counts["baskets"]
    planted = json.loads((tmp_path / "truth" / "faults.json").read_text())
    assert planted == counts["faults"]
    assert found["rows_read"] == counts["rows"]
    assert found["reasons"] == {
        "basket id missing": planted["missing_basket"],
        "item missing": planted["missing_item"],
        "person id missing": planted["missing_person"],
        "time cannot be read": planted["unreadable_time"],
    }
    assert found["repeated_items"] == planted["repeated"]
    assert min(planted.values()) > 0


MISTAKES = {
    "n_people": ({"n_people": 0}, "n_people"),
    "shares": ({"groups": {"a": SETTINGS["groups"]["dairy"]}}, "groups: the values of share"),
    "fault": ({"faults": {"lost": 0.1}}, "faults.lost: unknown key"),
    "pair": (
        {"pairs": [{"antecedent": "dairy/99", "consequent": "dairy/1", "probability": 1}]},
        r"pairs\[0\].antecedent",
    ),
    "basket too large": (
        {"groups": SETTINGS["groups"] | {"sweets": SETTINGS["groups"]["sweets"] | {"items": 5}}},
        "types.stocking_up.items.maximum",
    ),
}


@pytest.mark.parametrize(("changes", "message"), MISTAKES.values(), ids=MISTAKES)
def test_an_impossible_setting_is_named_and_nothing_is_written(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        generate(tmp_path, **changes)
    assert not (tmp_path / "raw").exists()
