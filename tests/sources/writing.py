"""Small source files for the tests of the readers."""

import gzip
import lzma
import zipfile
from pathlib import Path

import pandas as pd

EVENT_HEADER = "timestamp,visitorid,event,itemid,transactionid"
INVOICE_HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def write_events(folder: Path, *lines: str, name: str = "events.csv", end: str = "\n") -> str:
    path = folder / name
    path.write_bytes((end.join([EVENT_HEADER, *lines]) + end).encode())
    return str(path)


def write_invoices(folder: Path, *lines: str, name: str = "data.csv") -> str:
    path = folder / name
    path.write_bytes(("\r\n".join([INVOICE_HEADER, *lines]) + "\r\n").encode("windows-1252"))
    return str(path)


def write_form(text: str, path: Path, encoding: str = "utf-8") -> str:
    """Write one table in the form that the ending of the path asks for."""
    data = text.encode(encoding)
    if path.name.endswith(".csv.gz"):
        path.write_bytes(gzip.compress(data))
    elif path.name.endswith(".csv.xz"):
        path.write_bytes(lzma.compress(data))
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inside.csv", data)
    elif path.suffix == ".csv":
        path.write_bytes(data)
    else:
        _write_typed(text, path)
    return str(path)


def _write_typed(text: str, path: Path) -> None:
    from io import StringIO

    table = pd.read_csv(StringIO(text))
    if "InvoiceDate" in table:
        dates = pd.to_datetime(table["InvoiceDate"], format="%m/%d/%Y %H:%M")
        table["InvoiceDate"] = dates.dt.as_unit("us")
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_excel(path, index=False, engine="openpyxl")


def rows(table) -> pd.DataFrame:
    return table.to_pyarrow().to_pandas()


def rejected(log) -> list[tuple]:
    """List table, line and reason of each rejected row."""
    found = rows(log.rejects)
    return list(zip(found["table"], found["line"], found["reason"], strict=True))
