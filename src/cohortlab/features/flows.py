"""Network flows in numbers: how much, in how many packets, which way, how long."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

_BYTES, _PACKETS = ("bytes_sent", "bytes_received"), ("packets_sent", "packets_received")


def known_amounts(flows: pd.DataFrame) -> list[str]:
    """List the amounts that a log knows.

    Parameters
    ----------
    flows : pandas.DataFrame
        The amounts, as the data step writes them.

    Returns
    -------
    list of str
        Columns of amounts that some flow has.
    """
    amounts = (*_BYTES, *_PACKETS, "duration")
    return [name for name in amounts if name in flows and flows[name].notna().any()]


def flow_features(flows: pd.DataFrame, *, known: Collection[str] | None = None) -> pd.DataFrame:
    """Describe every flow by its size, shape, direction and duration.

    Parameters
    ----------
    flows : pandas.DataFrame
        `flow_id` and the amounts, as the data step writes them. An amount that no flow has, is one
        that the log does not know.
    known : collection of str, optional
        Amounts that the log knows, where these flows are a part of it; by default those that
        one of the flows has.

    Returns
    -------
    pandas.DataFrame, shape (n_flows, n_features + 1)
        `flow_id`, then those columns of `cohortlab.schemas.TABLES["flow_features"]` that the log
        can give. Values may be infinite (bytes in no packet) or missing: see `fill`.

    Notes
    -----
    One is added to both sides of the ratio, so that a flow one way has a large ratio and not an
    infinite one, which would say nothing of how large it was.

    Examples
    --------
    >>> one = {"flow_id": [0], "bytes_sent": [99.0], "bytes_received": [0.0], "packets_sent": [2.0]}
    >>> flow_features(pd.DataFrame(one)).iloc[0].tolist()
    [0.0, 99.0, 2.0, 49.5, 100.0]
    """
    known = known_amounts(flows) if known is None else known
    sent, received = (flows[name].astype(float) for name in _BYTES)
    total = sent + received
    columns = {"flow_id": flows["flow_id"], "total_bytes": total}
    if packets := [name for name in _PACKETS if name in known]:
        n_packets = flows[packets].astype(float).sum(axis=1, skipna=False)
        # No bytes in no packet is unknown, some bytes in none infinite: `fill` counts both.
        columns |= {"total_packets": n_packets, "bytes_per_packet": _quotient(total, n_packets)}
    columns["send_receive_ratio"] = _quotient(sent + 1.0, received + 1.0)
    if "duration" in known:
        columns["duration_sec"] = flows["duration"].astype(float)
    return pd.DataFrame(columns)


def _quotient(above: pd.Series, below: pd.Series) -> pd.Series:
    """Divide; where a side is infinite, so is what comes out, and not zero."""
    endless = np.isinf(above) | np.isinf(below)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (above / below).mask(endless, np.inf)


def fill(
    features: pd.DataFrame, medians: Mapping[str, float] | None = None
) -> tuple[pd.DataFrame, dict[str, float], pd.DataFrame]:
    """Put the median of a feature where its value is missing or infinite, and count both.

    Parameters
    ----------
    features : pandas.DataFrame
        From `flow_features`.
    medians : mapping of str to float, optional
        Medians to put in; those of the finite values by default. Flows that come later get those of
        the flows on which detectors were trained, and the same features.

    Returns
    -------
    filled : pandas.DataFrame
        The id and the features, all values finite.
    medians : dict of str to float
        The medians.
    counts : pandas.DataFrame
        Indexed by feature: `infinite`, `missing` and `median`.

    Raises
    ------
    ValueError
        If a feature has no finite value of which to take a median.
    """
    columns = list(features.columns[1:] if medians is None else medians)
    numbers = features.reindex(columns=columns).astype(float)
    infinite, missing = np.isinf(numbers), numbers.isna()
    finite = numbers.mask(infinite)
    own = finite.median() if medians is None else pd.Series(medians, dtype=float)
    if own.isna().any():
        raise ValueError(
            f"no flow has a finite value of {list(own.index[own.isna()])}, so there is no median: "
            "say in `data.columns` that the log does not have it"
        )
    filled = pd.concat([features.iloc[:, :1], finite.fillna(own)], axis=1)
    counts = pd.DataFrame({"infinite": infinite.sum(), "missing": missing.sum(), "median": own})
    return filled, own.to_dict(), counts


def no_items() -> dict[str, pd.DataFrame]:
    """Make the tables of items, which flows do not have, without a row.

    Returns
    -------
    dict of str to pandas.DataFrame
        `baskets`, `incidence` and `items`.
    """
    columns = {
        "baskets": ["basket_id", "person_id", "item"],
        "incidence": ["person_id", "item", "weight"],
        "items": ["item", "title", "group"],
    }
    empty = {name: pd.DataFrame(columns=names, dtype="str") for name, names in columns.items()}
    return empty | {"incidence": empty["incidence"].astype({"weight": "int64"})}
