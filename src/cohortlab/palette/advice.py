"""What measures of pictures say: how few colours are enough, and which method is better."""

from collections.abc import Collection

import pandas as pd

from cohortlab.notebook.look import escape_markdown


def enough_colours(figures: pd.DataFrame, *, at_most: float) -> pd.DataFrame:
    """Find the fewest colours at which the best method's mean CIEDE2000 is small enough.

    Parameters
    ----------
    figures : pandas.DataFrame
        `picture, method, asked, delta_e_mean, bytes_ratio`, a row a picture, method and size.
    at_most : float
        What the mean colour difference may be, CIEDE2000.

    Returns
    -------
    pandas.DataFrame
        A row a picture: `picture, enough` (of the sizes tried; missing where none is), and of the
        best method there, or at the largest size, `method, delta_e_mean, bytes_ratio`.
    """
    best = figures.groupby(["picture", "asked"], sort=False)["delta_e_mean"].idxmin()
    rows = []
    for _, own in figures.loc[best].sort_values("asked").groupby("picture", sort=False):
        passed = own[own["delta_e_mean"] <= at_most]
        row = passed.iloc[0] if len(passed) else own.iloc[-1]
        rows.append(row.to_dict() | {"enough": row["asked"] if len(passed) else None})
    columns = ["picture", "enough", "method", "delta_e_mean", "bytes_ratio"]
    order = list(dict.fromkeys(figures["picture"]))
    table = pd.DataFrame(rows, columns=columns).astype({"enough": "Int64"})
    return table.sort_values("picture", key=lambda names: names.map(order.index), ignore_index=True)


def compare_methods(
    figures: pd.DataFrame,
    methods: Collection[str],
    others: Collection[str],
    *,
    measure: str,
    low_is_good: bool = False,
) -> pd.DataFrame:
    """Count where the best of some methods is better than the best of others.

    Parameters
    ----------
    figures : pandas.DataFrame
        `picture, method, asked, distinct` and the measure, a row a picture, method and size.
    methods, others : collection of str
        Methods; of each side the best counts, picture by picture and size by size.
    measure : str
        Column to compare.
    low_is_good : bool, default False
        Whether less of it is better.

    Returns
    -------
    pandas.DataFrame
        By picture: `cases` (sizes at which there are more distinct colours than that, as else
        nothing is lost), `better` (those at which `methods` are better; a tie is not) and `gain`
        (by how much in the mean; below 0 where they are worse).
    """
    lossy = figures[figures["distinct"] > figures["asked"]]
    good = lossy.assign(good=lossy[measure] * (-1 if low_is_good else 1))
    one, other = (
        good[good["method"].isin(side)].groupby(["picture", "asked"], sort=False)["good"].max()
        for side in (methods, others)
    )
    gain = (one - other).dropna().groupby("picture", sort=False)
    return gain.agg(cases="size", better=lambda values: int((values > 0).sum()), gain="mean")


def wins(compared: pd.DataFrame) -> str:
    """Say in how many cases something is better, in all and picture by picture.

    Parameters
    ----------
    compared : pandas.DataFrame
        What `compare_methods` found.

    Returns
    -------
    str
        Markdown.
    """
    rows = compared.itertuples()
    each = [f"{escape_markdown(row.Index)} {row.better} of {row.cases}" for row in rows]
    return f"{compared['better'].sum()} of {compared['cases'].sum()} cases ({', '.join(each)})"


def advise(compared: pd.DataFrame, *, always: str, never: str, sometimes: str) -> str:
    """Choose the advice: where something is better in every case, in none, or in some.

    Parameters
    ----------
    compared : pandas.DataFrame
        What `compare_methods` found, with one case at least.
    always, never, sometimes : str
        What to say.

    Returns
    -------
    str
        One of them.
    """
    better, cases = compared["better"].sum(), compared["cases"].sum()
    return always if better == cases else sometimes if better else never
