"""Kinds of logs: how each is read, which files a generated one has, and where its time stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir

from cohortlab.sources.baskets import read_baskets
from cohortlab.sources.events import read_events
from cohortlab.sources.flows import read_flows
from cohortlab.sources.invoices import read_invoices
from cohortlab.sources.log import Log
from cohortlab.sources.pictures import read_pictures
from cohortlab.sources.populations import read_populations
from cohortlab.sources.visits import read_visits


@dataclass(frozen=True)
class Kind:
    """
    A kind of log.

    Attributes
    ----------
    read : callable
        `read_events`, `read_invoices`, `read_baskets`, `read_populations`, `read_visits`,
        `read_flows` or `read_pictures`.
    files : str or mapping
        The names of a generated log's files, in the form of `studies.<study>.data.path`.
    main : str
        The table whose rows are what happened.
    rows : str
        What a row of that table is called.
    time : callable
        From that table to a column of its times, all null where the log has none.
    zone : str
        The time zone of these times, empty where the log does not say.
    """

    read: Callable[..., Log]
    files: str | Mapping[str, str]
    main: str
    rows: str
    time: Callable[[ir.Table], ir.TimestampColumn]
    zone: str

    def paths_in(self, folder: Path) -> str | dict[str, str]:
        """
        Give the paths of a generated log.

        Parameters
        ----------
        folder : Path
            Where its files are.

        Returns
        -------
        str or dict of str to str
            What `read` takes as its path.
        """
        if isinstance(self.files, str):
            return str(folder / self.files)
        return {table: str(folder / name) for table, name in self.files.items()}


KINDS = {
    "events": Kind(
        read=read_events,
        files={
            "events": "events.csv",
            "item_properties": "item_properties*.csv",
            "category_tree": "category_tree.csv",
        },
        main="events",
        rows="events",
        time=lambda table: table.timestamp_ms.as_timestamp("ms"),
        zone="UTC",
    ),
    "invoices": Kind(
        read=read_invoices,
        files="data.csv",
        main="invoices",
        rows="invoice lines",
        time=lambda table: table.invoice_date,
        zone="",
    ),
    "baskets": Kind(
        read=read_baskets,
        files={"baskets": "baskets.csv", "items": "items.csv", "people": "people.csv"},
        main="baskets",
        rows="items in baskets",
        time=lambda table: table.time,
        zone="",
    ),
    "populations": Kind(
        read=read_populations,
        files={"people": "people.csv", "items": "items.csv", "purchases": "purchases.csv"},
        main="purchases",
        rows="purchases",
        time=lambda table: table.time,
        zone="",
    ),
    "visits": Kind(
        read=read_visits,
        files="visits.csv",
        main="visits",
        rows="visits",
        time=lambda table: table.start_ms.as_timestamp("ms"),
        zone="",
    ),
    "flows": Kind(
        read=read_flows,
        files="flows.csv",
        main="flows",
        rows="flows",
        time=lambda table: table.time,
        zone="",
    ),
    "pictures": Kind(
        read=read_pictures,
        files="*.*",
        main="pictures",
        rows="pictures",
        time=lambda table: table.mutate(time=ibis.null("timestamp")).time,
        zone="",
    ),
}
