"""Read logs of behaviour from files or a database, clean them, and account for every row."""

from cohortlab.sources.baskets import read_baskets
from cohortlab.sources.cleaning import (
    BasketCleaning,
    EventCleaning,
    FlowCleaning,
    InvoiceCleaning,
    PictureRules,
    VisitCleaning,
)
from cohortlab.sources.errors import SourceError
from cohortlab.sources.events import read_events
from cohortlab.sources.flows import read_flows
from cohortlab.sources.invoices import read_invoices
from cohortlab.sources.log import Log
from cohortlab.sources.pictures import read_picture, read_pictures
from cohortlab.sources.populations import read_populations
from cohortlab.sources.queries import fetch_log
from cohortlab.sources.visits import read_visits

__all__ = [
    "BasketCleaning",
    "EventCleaning",
    "FlowCleaning",
    "InvoiceCleaning",
    "Log",
    "PictureRules",
    "SourceError",
    "VisitCleaning",
    "fetch_log",
    "read_baskets",
    "read_events",
    "read_flows",
    "read_invoices",
    "read_picture",
    "read_pictures",
    "read_populations",
    "read_visits",
]
