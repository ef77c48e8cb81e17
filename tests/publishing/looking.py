"""What somebody who knows nothing of a run sees in a database."""

import pandas as pd
from sqlalchemy import text


def rows(engine, statement: str) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def latest(engine, study: str = "shop") -> pd.DataFrame:
    with engine.connect() as connection:
        table = pd.read_sql(text("SELECT * FROM latest_customers"), connection)
    return table[table["study"] == study]


def sizes(engine) -> dict[str, int]:
    tables = ("published_runs", "published_releases", "published_customers")
    return {table: rows(engine, f"SELECT count(*) FROM {table}")[0][0] for table in tables}


def is_whole(engine, customers: pd.DataFrame) -> bool:
    """Say whether the view shows exactly these customers, of one run."""
    seen = latest(engine).sort_values("customer_id", ignore_index=True)
    same = (seen["gross_revenue"] == customers["gross_revenue"].iloc[0]).all()
    ids = seen["customer_id"].tolist() == customers["customer_id"].tolist()
    return bool(ids and same and len(set(seen["run_id"])) == 1)
