"""Read a published run back, and add it up."""

import pandas as pd
from sqlalchemy import Engine, select

from cohortlab.databases import reading
from cohortlab.publishing.content import TABLE
from cohortlab.publishing.tables import CUSTOMERS
from cohortlab.schemas import TABLES

_DTYPES = {"text": "str", "integer": "int64", "number": "float64"}


def read_run(engine: Engine, run_id: str) -> pd.DataFrame:
    """
    Read the customers of one run.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        The database.
    run_id : str
        What `publish` returned.

    Returns
    -------
    pandas.DataFrame
        Table `published_customers`, ordered by id; without rows where there is no such run.
    """
    columns = [column for column in CUSTOMERS.columns if column.name != "run_id"]
    with reading(engine) as connection:
        found = connection.execute(select(*columns).where(CUSTOMERS.c.run_id == run_id))
        # As plain tuples: pandas asks every row of SQLAlchemy's own kind what else it might be.
        rows = [tuple(row) for row in found]
    table = pd.DataFrame(rows, columns=[column.name for column in columns])
    table = table.astype({column.name: _DTYPES[column.kind] for column in TABLES[TABLE]})
    # Databases sort text by their own rules.
    return table.sort_values("customer_id", ignore_index=True)


def control_totals(customers: pd.DataFrame) -> dict[str, float]:
    """
    Add a table of customers up, to be compared with what its reader adds up.

    Parameters
    ----------
    customers : pandas.DataFrame
        Table `published_customers`.

    Returns
    -------
    dict of str to number
        `customers`, `clusters` and `segments`, how many there are; and the sum of every feature.
    """
    features = [column.name for column in TABLES["customer_features"][1:]]
    counts = {
        "customers": len(customers),
        "clusters": customers["cluster"].nunique(),
        "segments": customers["segment"].nunique(),
    }
    return counts | {name: customers[name].sum().item() for name in features}
