"""Write the typed values of workbooks and databases as text, which then passes the same checks."""

import datetime as dt


def cell_text(value: object) -> str | None:
    """
    Write one value as a text file would hold it.

    Parameters
    ----------
    value : object
        A text, number, date or time, as a workbook or a database gives it.

    Returns
    -------
    str or None
        Whole numbers without a decimal point, times as ``YYYY-MM-DD HH:MM:SS``, those with a zone
        in UTC; None for None, NaN and NaT.

    Examples
    --------
    >>> cell_text(3.0), cell_text(dt.datetime(2010, 12, 1, 8, 26)), cell_text(float("nan"))
    ('3', '2010-12-01 08:26:00', None)
    """
    if value is None or value != value:  # NaN and NaT differ from themselves
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(dt.UTC).replace(tzinfo=None)
        return value.isoformat(sep=" ", timespec="auto")
    return str(value)
