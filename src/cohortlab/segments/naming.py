"""Names of clusters by ordered rules on their centres."""

from collections.abc import Mapping, Sequence

import pandas as pd

#: What a cluster is called that no rule fits.
FALLBACK = "mixed"


def name_centres(centres: pd.DataFrame, rules: Sequence[Mapping]) -> pd.Series:
    """Name clusters: the first rule that a centre satisfies gives its name.

    Parameters
    ----------
    centres : pandas.DataFrame of shape (n_clusters, n_columns)
        Indexed by cluster, any ids; for instance mean scores of the members.
    rules : sequence of mapping
        In order: `name`, and for any column `[lowest, highest]`, both included, null for no
        bound. A rule without a column fits every centre.

    Returns
    -------
    pandas.Series of str
        Name by cluster, in the order of `centres`. Clusters of one name are numbered by falling
        centres (columns from the left), so nothing hangs on ids; a cluster that no rule fits is
        `mixed`.

    Raises
    ------
    ValueError
        If a rule has no name, or names a column that there is not.

    Examples
    --------
    >>> centres = pd.DataFrame({"recency": [4.5, 1.2, 4.9]}, index=["b", "x", "a"])
    >>> rules = [{"name": "here", "recency": [3, None]}, {"name": "gone"}]
    >>> name_centres(centres, rules).to_dict()
    {'b': 'here 2', 'x': 'gone', 'a': 'here 1'}
    """
    for number, rule in enumerate(rules, start=1):
        unknown = [key for key in rule if key != "name" and key not in centres]
        if "name" not in rule or unknown:
            raise ValueError(
                f"cluster rule {number}: expected `name` and bounds of {list(centres)}, got "
                f"{dict(rule)}"
            )
    names = pd.Series([_first(row, rules) for _, row in centres.iterrows()], index=centres.index)
    ranked = centres.sort_values(list(centres), ascending=False, kind="stable").index
    numbers = names.loc[ranked].groupby(names.loc[ranked]).cumcount() + 1
    shared = names.duplicated(keep=False)
    return names.where(~shared, names + " " + numbers.reindex(names.index).astype(str))


def _first(centre: pd.Series, rules: Sequence[Mapping]) -> str:
    return next((rule["name"] for rule in rules if _fits(centre, rule)), FALLBACK)


def _fits(centre: pd.Series, rule: Mapping) -> bool:
    for column, (low, high) in ((k, v) for k, v in rule.items() if k != "name"):
        too_low = low is not None and centre[column] < low
        if too_low or (high is not None and centre[column] > high):
            return False
    return True
