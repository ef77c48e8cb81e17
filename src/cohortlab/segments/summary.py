"""What the segments hold, where their members went, and what they did next."""

import pandas as pd

from cohortlab.segments.rfm import MEASURES
from cohortlab.segments.table import SegmentTable

#: The segment of those who had not bought by the earlier date.
NOT_YET = "not yet a customer"


def summarise(rfm: pd.DataFrame, segments: pd.Series, table: SegmentTable) -> pd.DataFrame:
    """Count each segment's customers and money.

    Parameters
    ----------
    rfm : pandas.DataFrame
        `recency`, `frequency` and `monetary`, indexed by customer.
    segments : pandas.Series of str
        Segment by customer, the same index.
    table : SegmentTable
        All segments, those without a customer too.

    Returns
    -------
    pandas.DataFrame
        A row a segment in the order of the table: `segment, customers, share, revenue,
        revenue_share`, the means of the three measures (NaN where nobody is), and `action`.
    """
    groups = rfm.groupby(segments)
    rows = pd.DataFrame(index=pd.Index(table.names, name="segment"))
    rows["customers"] = groups.size().reindex(rows.index, fill_value=0)
    rows["share"] = rows["customers"] / len(rfm)
    rows["revenue"] = groups["monetary"].sum().reindex(rows.index, fill_value=0.0)
    total = rows["revenue"].sum()
    rows["revenue_share"] = rows["revenue"] / total if total > 0 else 0.0
    for name in MEASURES:
        rows[f"mean_{name}"] = groups[name].mean().reindex(rows.index)
    rows["action"] = table.actions
    return rows.reset_index()


def migration(earlier: pd.Series, later: pd.Series, table: SegmentTable) -> pd.DataFrame:
    """Count who moved from which segment to which.

    Parameters
    ----------
    earlier, later : pandas.Series of str
        Segment by customer at two dates; everyone of the earlier date is in the later one.
    table : SegmentTable
        All segments.

    Returns
    -------
    pandas.DataFrame of int
        Segments before down, with those who were not yet customers as the last row; segments
        after across. The sum of all cells is the number of later customers.

    Raises
    ------
    ValueError
        If a customer of the earlier date is missing from the later one.
    """
    lost = earlier.index.difference(later.index)
    if len(lost):
        raise ValueError(
            f"{len(lost)} customers of the earlier date are not in the later one, the first is "
            f"{lost[0]}: take both from one log"
        )
    before = earlier.reindex(later.index).fillna(NOT_YET)
    counts = pd.crosstab(before.rename("before"), later.rename("after"))
    names = list(table.names)
    return counts.reindex(index=[*names, NOT_YET], columns=names, fill_value=0)


def follow_up(earlier: pd.Series, bought: pd.Series, table: SegmentTable) -> pd.DataFrame:
    """Say what the members of each earlier segment did afterwards.

    Parameters
    ----------
    earlier : pandas.Series of str
        Segment by customer at the earlier date.
    bought : pandas.Series of float
        Money spent since then, for those who bought; indexed by customer.
    table : SegmentTable
        All segments.

    Returns
    -------
    pandas.DataFrame
        Indexed by segment: `customers`, `share_bought` and `mean_spent` (over all members),
        NaN where nobody was.
    """
    spent = bought.reindex(earlier.index)
    frame = pd.DataFrame({"bought": spent.notna(), "spent": spent.fillna(0.0)})
    groups = frame.groupby(earlier)
    names = pd.Index(table.names, name="segment")
    return pd.DataFrame(
        {
            "customers": groups.size().reindex(names, fill_value=0),
            "share_bought": groups["bought"].mean().reindex(names),
            "mean_spent": groups["spent"].mean().reindex(names),
        }
    )
