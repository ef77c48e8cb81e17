"""Read logs of behaviour from files, clean them, and account for every row."""

from cohortlab.sources.cleaning import EventCleaning, InvoiceCleaning
from cohortlab.sources.errors import SourceError
from cohortlab.sources.events import read_events
from cohortlab.sources.invoices import read_invoices
from cohortlab.sources.log import Log

__all__ = ["EventCleaning", "InvoiceCleaning", "Log", "SourceError", "read_events", "read_invoices"]
