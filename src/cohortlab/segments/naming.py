"""Names of clusters by ordered rules on their centres."""

from collections.abc import Mapping, Sequence
from math import inf
from numbers import Real

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
        Name by cluster, in the order of `centres`. Clusters of one name are numbered by the
        falling sum of their centre (and then its columns from the left), so nothing hangs on ids;
        a cluster that no rule fits is `mixed`.

    Raises
    ------
    ValueError
        If a rule has no name, names a column that there is not, or has bounds that are none.

    Examples
    --------
    >>> centres = pd.DataFrame({"recency": [4.5, 1.2, 4.9]}, index=["b", "x", "a"])
    >>> rules = [{"name": "here", "recency": [3, None]}, {"name": "gone"}]
    >>> name_centres(centres, rules).to_dict()
    {'b': 'here 2', 'x': 'gone', 'a': 'here 1'}
    """
    for number, rule in enumerate(rules, start=1):
        _check_rule(f"cluster rule {number}", rule, list(centres))
    names = pd.Series([_first(row, rules) for _, row in centres.iterrows()], index=centres.index)
    best_first = pd.concat([centres.sum(axis=1).rename("sum"), centres], axis=1)
    ranked = best_first.sort_values(list(best_first), ascending=False, kind="stable").index
    numbers = names.loc[ranked].groupby(names.loc[ranked]).cumcount() + 1
    shared = names.duplicated(keep=False)
    return names.where(~shared, names + " " + numbers.reindex(names.index).astype(str))


def _check_rule(where: str, rule: object, columns: Sequence[str]) -> None:
    known = isinstance(rule, Mapping) and isinstance(rule.get("name"), str)
    if not known or not set(rule) <= {"name", *columns}:
        raise ValueError(f"{where}: expected `name`, text, and bounds of {columns}, got {rule!r}")
    for column, bounds in rule.items():
        if column != "name" and not _are_bounds(bounds):
            raise ValueError(
                f"{where}, {column}: expected [lowest, highest], numbers or null, the lowest no "
                f"higher than the highest, got {bounds!r}"
            )


def _are_bounds(bounds: object) -> bool:
    if not isinstance(bounds, list | tuple) or len(bounds) != 2:
        return False
    if not all(b is None or (isinstance(b, Real) and not isinstance(b, bool)) for b in bounds):
        return False
    low, high = bounds
    # A comparison with NaN is false, so NaN is no bound either.
    return (-inf if low is None else low) <= (inf if high is None else high)


def _first(centre: pd.Series, rules: Sequence[Mapping]) -> str:
    return next((rule["name"] for rule in rules if _fits(centre, rule)), FALLBACK)


def _fits(centre: pd.Series, rule: Mapping) -> bool:
    for column, (low, high) in ((k, v) for k, v in rule.items() if k != "name"):
        too_low = low is not None and centre[column] < low
        if too_low or (high is not None and centre[column] > high):
            return False
    return True
