"""Publish a run that stops in the middle of its rows, until somebody kills it.

python stopping_run.py VARIABLE CUSTOMERS FLAG
"""

import sys
import time
from pathlib import Path

import pandas as pd

from cohortlab.databases import open_database, url_from_environment
from cohortlab.publishing import publish, writing


def main(variable: str, customers: str, flag: str) -> None:
    original = writing._blocks

    def stopping(table, run):
        for number, block in enumerate(original(table, run)):
            if number == 3:
                Path(flag).touch()
                time.sleep(60)
            yield block

    writing.BLOCK_ROWS, writing._blocks = 100, stopping
    engine = open_database(url_from_environment(variable))
    publish(engine, pd.read_parquet(customers), study="shop")


if __name__ == "__main__":
    main(*sys.argv[1:])
