import pandas as pd
import pytest

from cohortlab.databases import open_database, url_from_environment
from cohortlab.publishing import customers_table, publish, writing


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """Name an empty database of each kind, as an environment variable would."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.sqlite"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def engine(database_url, monkeypatch):
    monkeypatch.setenv("COHORTLAB_TEST_URL", database_url)
    return open_database(url_from_environment("COHORTLAB_TEST_URL"))


@pytest.fixture
def make_customers():
    """Make the customers that a run publishes; `version` tells one content from another."""

    def make(n=500, version=0, names=("few", "many"), ids=None):
        ids = list(range(n)) if ids is None else ids
        features = pd.DataFrame({"customer_id": ids}).assign(
            gross_revenue=0.1 * (1 + version), recency_days=3, quantity_of_products=2**40
        )
        features = features.assign(frequency=1 / 3, returns=version)
        clusters = pd.DataFrame({"id": ids, "cluster": [i % 2 for i in range(len(ids))]})
        return customers_table(features, clusters, dict(enumerate(names)))

    return make


@pytest.fixture
def between_blocks(monkeypatch):
    """Make a run write a hundred rows at a time, and do something after each."""

    def patch(action):
        original = writing._blocks

        def blocks(customers, run):
            for block in original(customers, run):
                yield block
                action()

        monkeypatch.setattr(writing, "BLOCK_ROWS", 100)
        monkeypatch.setattr(writing, "_blocks", blocks)

    return patch


@pytest.fixture
def published(engine, make_customers):
    """Publish a first run, whose rows readers must keep on seeing."""
    customers = make_customers()
    publish(engine, customers, study="shop")
    return customers
