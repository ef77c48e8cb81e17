"""Figures of the data step: what was read, what was rejected, and when things happened."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from cohortlab.plots.style import MUTED, empty_figure, plain


def rejected_reasons(counts: Mapping[str, Mapping]) -> Figure:
    """Draw how many rows were rejected, by table and reason.

    Parameters
    ----------
    counts : mapping
        What `data.json` holds: by table, `reasons` with the number of rows of each.

    Returns
    -------
    matplotlib.figure.Figure
        Bars on a logarithmic scale, the number written beside each.
    """
    rows = [
        (f"{table}: {reason}", number)
        for table, count in counts.items()
        for reason, number in count["reasons"].items()
        if number
    ]
    if not rows:
        return empty_figure("No row was rejected.")
    frame = pd.DataFrame(rows, columns=["reason", "rows"]).sort_values(
        ["rows", "reason"], ascending=[True, False]
    )
    figure, axes = plt.subplots(figsize=(7.0, 0.8 + 0.32 * len(frame)), layout="constrained")
    bars = axes.barh([plain(r) for r in frame["reason"]], frame["rows"], color=MUTED)
    axes.bar_label(bars, labels=[f"{n:,}" for n in frame["rows"]], padding=3, fontsize=8)
    axes.set(xscale="log", xlabel="rows rejected (logarithmic)", ylabel="")
    axes.margins(x=0.15)
    axes.tick_params(axis="y", labelsize=8)
    return figure


#: A log of at most so many days is drawn by the hour.
SHORT_DAYS = 7


def rows_per_day(times: pd.Series, what: str, *, zone: str = "") -> Figure:
    """Draw the number of rows a day, where a gap or a jump in the log would show.

    Parameters
    ----------
    times : pandas.Series of datetime64
        One time a row.
    what : str
        What a row is, for the label: `events`.
    zone : str, default ""
        Time zone of the times, where it is known.

    Returns
    -------
    matplotlib.figure.Figure
        A line over days; over hours where the log covers a week or less.
    """
    if times.dropna().empty:
        return empty_figure(f"The log gives no times of {what}.")
    is_short = times.max() - times.min() <= pd.Timedelta(days=SHORT_DAYS)
    step, unit = ("h", "hour") if is_short else ("D", "day")
    days = times.dt.floor(step).value_counts().sort_index().asfreq(step, fill_value=0)
    figure, axes = plt.subplots(figsize=(7.0, 2.6), layout="constrained")
    axes.plot(days.index, days.to_numpy(), drawstyle="steps-mid")
    article = "an" if is_short else "a"
    across = f"{unit} ({zone})" if zone else unit
    axes.set(xlabel=across, ylabel=f"{what} {article} {unit}", ylim=(0, None))
    figure.autofmt_xdate()
    return figure
