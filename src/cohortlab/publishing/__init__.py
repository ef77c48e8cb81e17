"""Publish customers and their groups to a database, a run whole or not at all, and to a sheet."""

from cohortlab.publishing.content import PublishingError, customers_table, run_id
from cohortlab.publishing.reading import control_totals, read_run
from cohortlab.publishing.sheets import harmless_in_sheets
from cohortlab.publishing.tables import describe_tables
from cohortlab.publishing.writing import publish

__all__ = [
    "PublishingError",
    "control_totals",
    "customers_table",
    "describe_tables",
    "harmless_in_sheets",
    "publish",
    "read_run",
    "run_id",
]
