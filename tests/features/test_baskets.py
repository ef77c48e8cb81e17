import ibis
import numpy as np
import pandas as pd
import pytest

from cohortlab.features import baskets as of_baskets

GROUPS = pd.Series({"tea": "drinks", "milk": "dairy", "rye": None}, dtype="str")


def random_log(seed, n_rows=400):
    rng = np.random.default_rng(seed)
    basket = rng.integers(0, 90, n_rows)
    start = pd.Timestamp("2024-01-01 08:00")
    return pd.DataFrame(
        {
            "basket_id": basket.astype(str),
            "item": rng.choice(["tea", "milk", "rye"], n_rows),
            "person_id": np.char.add("P", (basket % 25).astype(str)),
            "time": start + pd.to_timedelta(basket * 7919 % 90_000, unit="min"),
            "quantity": rng.integers(1, 9, n_rows) / 2,
            "value": rng.integers(1, 999, n_rows) / 100,
        }
    )


def stored(log, path, threads=1):
    log.to_parquet(path, index=False)
    return ibis.duckdb.connect(threads=threads).read_parquet(path)


def oracle(log):
    """Describe each person alone."""
    end = log["time"].max()
    found = []
    for person, theirs in log.groupby("person_id"):
        pairs = theirs.drop_duplicates(["basket_id", "item"])
        groups = theirs["item"].map(GROUPS).fillna("")
        n_baskets = theirs["basket_id"].nunique()
        cents = round(theirs["value"] * 100).astype(int).sum()
        found.append(
            {
                "person_id": person,
                "n_baskets": n_baskets,
                "n_items": len(pairs),
                "items_per_basket": len(pairs) / n_baskets,
                "distinct_share": theirs["item"].nunique() / len(pairs),
                "n_groups": groups.nunique(),
                "n_pieces": theirs["quantity"].sum(),
                "spend": cents / 100,
                "spend_per_basket": cents / 100 / n_baskets,
                "days_active": theirs["time"].dt.date.nunique(),
                "recency_days": (end - theirs["time"].max()).days,
            }
        )
    return pd.DataFrame(found)


@pytest.mark.parametrize("seed", range(3))
def test_features_are_those_of_each_person_alone(tmp_path, seed):
    log = random_log(seed)
    table = stored(log, tmp_path / "log.parquet")
    assert of_baskets.features_left_out(table, has_groups=True) == {}
    found = of_baskets.basket_features(table, GROUPS, left_out={}).to_pandas()
    pd.testing.assert_frame_equal(found, oracle(log), check_dtype=False, rtol=1e-12)


def test_the_largest_values_that_are_read_can_be_summed(tmp_path):
    log = random_log(0, 30).assign(person_id="P", quantity=9e11, value=9e11)
    table = stored(log, tmp_path / "log.parquet")
    found = of_baskets.basket_features(table, GROUPS, left_out={}).to_pandas()
    assert found[["n_pieces", "spend"]].to_numpy().tolist() == [[30 * 9e11, 30 * 9e11]]


def test_order_and_threads_change_nothing(tmp_path):
    log = random_log(0)
    shuffled = log.sample(frac=1, random_state=1)
    first = of_baskets.basket_features(stored(log, tmp_path / "a.parquet"), GROUPS, left_out={})
    table = stored(shuffled, tmp_path / "b.parquet", threads=2)
    second = of_baskets.basket_features(table, GROUPS, left_out={})
    pd.testing.assert_frame_equal(first.to_pandas(), second.to_pandas(), rtol=0, atol=0)


LEFT_OUT = {
    "person_id": {
        "n_baskets",
        "items_per_basket",
        "distinct_share",
        "spend_per_basket",
        "days_active",
    },
    "quantity": {"n_pieces"},
    "value": {"spend", "spend_per_basket"},
    "time": {"days_active", "recency_days"},
}


@pytest.mark.parametrize(("column", "expected"), LEFT_OUT.items())
def test_what_the_log_does_not_say_leaves_features_out(tmp_path, column, expected):
    log = random_log(0)
    log[column] = pd.Series(None, log.index, dtype=log[column].dtype)
    table = stored(log, tmp_path / "log.parquet")
    left_out = of_baskets.features_left_out(table, has_groups=True)
    assert set(left_out) == expected
    rows = of_baskets.with_people(table)
    found = of_baskets.basket_features(rows, GROUPS, left_out=left_out).to_pandas()
    assert list(found) == [
        "person_id",
        *[name for name in of_baskets.FEATURES if name not in expected],
    ]
    assert found.notna().all(axis=None)


def test_without_groups_they_are_not_counted(tmp_path):
    table = stored(random_log(0), tmp_path / "log.parquet")
    assert set(of_baskets.features_left_out(table, has_groups=False)) == {"n_groups"}


def test_without_people_every_basket_is_a_person(tmp_path):
    log = random_log(0).assign(person_id=pd.Series(None, range(400), dtype="str"))
    rows = of_baskets.with_people(stored(log, tmp_path / "log.parquet"))
    found = rows.select("basket_id", "person_id").distinct().to_pandas()
    assert (found["basket_id"] == found["person_id"]).all()
    assert len(found) == log["basket_id"].nunique()


def test_attributes_join_what_is_known_of_people(tmp_path):
    rows = stored(random_log(0), tmp_path / "log.parquet")
    people = pd.DataFrame(
        {
            "person_id": ["P1", "P2", "nobody"],
            "home": ["own", None, "rent"],
            "age": ["34", "51", "20"],
            "kids": ["3+", "1", "0"],
        }
    )
    found = of_baskets.basket_attributes(rows, people).set_index("person_id")
    assert len(found) == 25
    assert found.loc["P1", ["home", "age", "kids"]].tolist() == ["own", 34, "3+"]
    assert found.loc["P3", ["home", "age", "kids"]].isna().all()
    assert found["age"].dtype == float


def test_an_attribute_may_not_be_called_like_a_feature(tmp_path):
    rows = stored(random_log(0), tmp_path / "log.parquet")
    people = pd.DataFrame({"person_id": ["P1"], "spend": ["9"]})
    with pytest.raises(ValueError, match=r"\['spend'\].*rename them"):
        of_baskets.basket_attributes(rows, people)


def test_baskets_and_incidence_hold_what_stands_for_items(tmp_path):
    log = random_log(1)
    rows = stored(log, tmp_path / "log.parquet")
    node = pd.Series({"tea": "hot", "milk": "hot", "rye": None}, dtype="str")
    hot = log[log["item"] != "rye"]
    baskets = of_baskets.baskets(rows, node).to_pandas()
    expected = hot[["basket_id", "person_id"]].drop_duplicates().sort_values("basket_id")
    assert baskets["basket_id"].tolist() == expected["basket_id"].tolist()
    assert set(baskets["item"]) == {"hot"}
    weights = of_baskets.incidence(rows, node).to_pandas().set_index("person_id")["weight"]
    assert weights.to_dict() == hot.groupby("person_id")["basket_id"].nunique().to_dict()
