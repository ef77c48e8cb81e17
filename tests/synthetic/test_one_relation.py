"""The two logs and the purchases of populations plant the same relation in the same way."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from cohortlab.synthetic import generate_event_log, generate_invoice_log, relation_matrix
from cohortlab.synthetic.populations import generate_purchases

PEOPLE, ITEMS = ["early", "late"], ["garden", "kitchen", "toys"]
SHARES = [0.5, 0.3, 0.2]
LIKES = {"early": "toys", "late": {"garden": 1, "kitchen": 3}}


def in_event_log(folder, settings, strength, likes):
    """Views of single-view sessions, one independent draw each."""
    kind = settings["types"]["glance"]
    changes = {
        "types": {name: kind | {"share": 0.5} for name in PEOPLE},
        "groups": dict(zip(ITEMS, settings["groups"].values(), strict=True)),
        "n_visitors": 1200,
        "pairs": [],
        "faults": dict.fromkeys(settings["faults"], 0.0),
        "robots": settings["robots"] | {"share": 0},
        "relation_strength": strength,
        "preferences": likes,
    }
    generate_event_log(
        folder, folder / "truth", rng=np.random.default_rng(1), **(settings | changes)
    )
    events = pd.read_csv(folder / "events.csv").sort_values(["visitorid", "timestamp"])
    number = events.groupby("visitorid").cumcount() + 1
    session = events["visitorid"].astype(str) + "_" + number.astype(str)
    types = pd.read_parquet(folder / "truth" / "sessions.parquet").set_index("session_id")
    groups = pd.read_parquet(folder / "truth" / "items.parquet").set_index("item_id")
    drawn = types["session_type"].loc[session], groups["item_group"].loc[events["itemid"]]
    return pd.read_csv(folder / "truth" / "relation.csv"), drawn


def in_invoice_log(folder, settings, strength, likes):
    kind = settings["types"]["one_off"] | {"return_probability": 0.0}
    changes = {
        "types": {name: kind | {"share": 0.5} for name in PEOPLE},
        "groups": dict(zip(ITEMS, settings["groups"].values(), strict=True)),
        "n_customers": 600,
        "pairs": [],
        "faults": dict.fromkeys(settings["faults"], 0.0),
        "relation_strength": strength,
        "preferences": likes,
    }
    generate_invoice_log(
        folder, folder / "truth", rng=np.random.default_rng(1), **(settings | changes)
    )
    lines = pd.read_csv(folder / "data.csv", encoding="windows-1252")
    types = pd.read_parquet(folder / "truth" / "customers.parquet").set_index("customer_id")
    groups = pd.read_parquet(folder / "truth" / "products.parquet").set_index("stock_code")
    customer = lines["CustomerID"].astype(types.index.dtype)
    drawn = types["customer_type"].loc[customer], groups["item_group"].loc[lines["StockCode"]]
    return pd.read_csv(folder / "truth" / "relation.csv"), drawn


def in_purchases(folder, settings, strength, likes):
    people = pd.DataFrame({"cluster": np.repeat(PEOPLE, 300)})
    items = pd.DataFrame({"cluster": np.repeat(ITEMS, [50, 30, 20])})
    found = generate_purchases(people, items, likes, strength=strength, random_state=1)
    table = found.relation.melt(ignore_index=False).reset_index()
    times = found.edges["weight"]
    drawn = (
        found.edges["person_id"].map(people["cluster"]).repeat(times),
        found.edges["item"].astype(int).map(items["cluster"]).repeat(times),
    )
    return table, drawn


PATHS = {"events": in_event_log, "invoices": in_invoice_log, "purchases": in_purchases}


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("path", PATHS)
def test_every_path_plants_the_same_matrix_and_draws_from_it(
    path, strength, tmp_path, session_settings, customer_settings
):
    settings = customer_settings if path == "invoices" else session_settings
    table, (people, items) = PATHS[path](tmp_path, settings, strength, LIKES)
    expected = relation_matrix(
        PEOPLE, ITEMS, strength=strength, column_shares=SHARES, preferences=LIKES
    )
    table.columns = ["person", "item", "propensity"]
    planted = table.pivot(index="person", columns="item", values="propensity")
    np.testing.assert_allclose(planted.loc[PEOPLE, ITEMS], expected, rtol=0, atol=1e-12)
    counts = pd.crosstab(people.to_numpy(), items.to_numpy())
    counts = counts.reindex(index=PEOPLE, columns=ITEMS, fill_value=0).to_numpy()
    assert counts.sum() > 1000
    for row, shares in zip(counts, expected, strict=True):
        possible = shares > 0
        assert row[~possible].sum() == 0
        if possible.sum() > 1:
            assert chisquare(row[possible], shares[possible] * row.sum()).pvalue > 1e-3
