import copy

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY

from cohortlab.run.project import read_params
from cohortlab.sources import read_populations
from cohortlab.synthetic import GENERATORS

SETTINGS = read_params(REPOSITORY)["studies"]["populations"]["data"]["synthetic"] | {
    "n_people": 400,
    "n_items": 40,
}


def generate(folder, seed=0, **changes):
    settings = copy.deepcopy(SETTINGS) | changes
    for name in ("raw", "truth"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(seed)
    return GENERATORS["populations"](folder / "raw", folder / "truth", rng=rng, **settings)


def read(folder):
    names = ("people", "items", "purchases")
    path = {name: str(folder / "raw" / f"{name}.csv") for name in names}
    return read_populations(path, scratch=folder / "scratch", threads=1)


def test_every_planted_fault_is_rejected_for_its_own_reason(tmp_path):
    faults = {"unknown_person": 0.01, "missing_item": 0.02, "unreadable_time": 0.03}
    counts = generate(tmp_path, faults=faults)
    account = read(tmp_path).counts
    assert account["purchases"]["reasons"] == {
        "person not listed": counts["unknown_person"],
        "item id missing": counts["missing_item"],
        "time cannot be read": counts["unreadable_time"],
    }
    assert min(account["purchases"]["reasons"].values()) > 30
    assert account["purchases"]["rows_read"] == counts["lines"]
    assert account["people"]["rows_kept"] == 400
    assert account["items"]["rows_kept"] == 40


def test_what_is_bought_follows_the_planted_relation(tmp_path):
    generate(tmp_path)
    bought = read(tmp_path).tables["purchases"].to_pandas()
    truth = tmp_path / "truth"
    kinds = pd.read_parquet(truth / "people.parquet").set_index("person_id")["person_type"]
    groups = pd.read_parquet(truth / "items.parquet").set_index("item_id")["item_group"]
    counts = pd.crosstab(bought["person_id"].map(kinds), bought["item_id"].map(groups))
    planted = pd.read_csv(truth / "relation.csv").pivot(
        index="person_type", columns="item_group", values="propensity"
    )
    shares = counts.div(counts.sum(axis=1), axis=0)
    error = np.sqrt(planted * (1 - planted) / counts.sum(axis=1).to_numpy()[:, None])
    # 9 cells, 4.5 standard errors: one in 15,000 runs.
    assert ((shares - planted).abs() < 4.5 * error).all(axis=None)
    assert planted.loc["students", "books"] > planted.loc["families", "books"] + 0.2
    assert kinds.value_counts().to_dict() == {"students": 160, "families": 140, "pensioners": 100}
    assert pd.read_csv(truth / "pairs.csv").empty


def test_a_seed_gives_the_same_files(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate(tmp_path / name, seed)
    files = [
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")}
        for n in "abc"
    ]
    assert files[0] == files[1] != files[2]
    assert len(files[0]) == 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"faults": {"missing_item": 0.1}}, "faults.unknown_person: missing key"),
        ({"faults": SETTINGS["faults"] | {"missing_item": 2}}, "faults.missing_item: expected"),
        ({"items": SETTINGS["items"] | {"colour": 1}}, "items.colour: unknown key"),
        ({"relation": {"students": {"books": 1}}}, "relation.families: missing key"),
        ({"purchasing": "whim"}, "purchasing: expected a function or one of"),
        ({"n_people": 0}, "n: expected a whole number from 1"),
    ],
)
def test_impossible_settings_are_named(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        generate(tmp_path, **changes)
