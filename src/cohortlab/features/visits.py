"""Users of a browsing log as rows of numbers, and the domains that they visit."""

import fnmatch
import re
from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

_NIGHT_ENDS, _MONDAY_TO_FRIDAY = 6, 5


def select_users(
    visits: ir.Table, *, min_records: int, max_users: int, rng: np.random.Generator
) -> tuple[ir.Table, dict[str, int]]:
    """Keep the visits of users who have enough of them, and of no more users than can be compared.

    Parameters
    ----------
    visits : ibis.Table
        The log: `person_id` and more.
    min_records : int
        Users with fewer records are left out, from 1.
    max_users : int
        Of more users, so many are drawn at random.
    rng : numpy.random.Generator
        Draws them.

    Returns
    -------
    visits : ibis.Table
        The rows of the users who stay.
    counts : dict
        Users by what became of them: `users` who stay, `too_few_records` and `not_drawn`.

    Raises
    ------
    ValueError
        If nobody stays.
    """
    records = visits.group_by("person_id").agg(n=visits.count()).order_by("person_id").to_pandas()
    enough = records.loc[records["n"] >= min_records, "person_id"].to_numpy()
    if not len(enough):
        raise ValueError(
            f"no user has {min_records} records; the most is {records['n'].max()}: lower "
            "`features.min_records`"
        )
    drawn = np.sort(rng.permutation(len(enough))[:max_users])
    kept = pd.DataFrame({"person_id": enough[drawn]})
    counts = {
        "users": len(kept),
        "too_few_records": len(records) - len(enough),
        "not_drawn": len(enough) - len(kept),
    }
    return visits.semi_join(ibis.memtable(kept), "person_id"), counts


def user_features(visits: ir.Table) -> ir.Table:
    """Describe every user by how much, when and how variedly they browse.

    Parameters
    ----------
    visits : ibis.Table
        `person_id, start_ms, domain, active_ms`, as the data step writes them.

    Returns
    -------
    ibis.Table
        `person_id`, then the columns of `cohortlab.schemas.TABLES["user_features"]`; one row a
        user, ordered.

    Notes
    -----
    Shares are quotients of whole numbers, so no digit depends on the order of rows. The share of
    repetition is that of the records which go to a domain visited before.
    """
    time = visits.start_ms.as_timestamp("ms")
    marked = visits.mutate(
        day=time.date(),
        at_night=time.hour() < _NIGHT_ENDS,
        at_weekend=time.day_of_week.index() >= _MONDAY_TO_FRIDAY,
    )
    counted = marked.group_by("person_id").agg(
        n_records=marked.count(),
        n_domains=marked.domain.nunique(),
        n_days=marked.day.nunique(),
        active_ms=marked.active_ms.sum(),
        n_night=marked.at_night.sum(),
        n_weekend=marked.at_weekend.sum(),
    )
    return counted.select(
        "person_id",
        n_records="n_records",
        n_domains="n_domains",
        n_days="n_days",
        active_hours=counted.active_ms / 3_600_000,
        repetition_share=(counted.n_records - counted.n_domains) / counted.n_records,
        night_share=counted.n_night / counted.n_records,
        weekend_share=counted.n_weekend / counted.n_records,
    ).order_by("person_id")


def user_attributes(visits: ir.Table) -> ir.Table:
    """Say between which times each user was seen.

    Parameters
    ----------
    visits : ibis.Table
        `person_id, start_ms` and more.

    Returns
    -------
    ibis.Table
        `person_id, first_visit, last_visit`, ordered.
    """
    time = visits.start_ms.as_timestamp("ms")
    seen = visits.group_by("person_id").agg(first_visit=time.min(), last_visit=time.max())
    return seen.order_by("person_id")


def baskets(visits: ir.Table) -> ir.Table:
    """Put the domains that a user visits on one day into one basket.

    Parameters
    ----------
    visits : ibis.Table
        `person_id, start_ms, domain` and more.

    Returns
    -------
    ibis.Table
        `basket_id` (user and day), `person_id`, `item`, each domain once; ordered.
    """
    day = visits.start_ms.as_timestamp("ms").date().cast("string")
    rows = visits.select(
        basket_id=visits.person_id.cast("string") + " " + day,
        person_id="person_id",
        item="domain",
    )
    return rows.distinct().order_by(["basket_id", "item"])


def incidence(visits: ir.Table) -> ir.Table:
    """Count how often each user visits each domain.

    Parameters
    ----------
    visits : ibis.Table
        `person_id, domain` and more.

    Returns
    -------
    ibis.Table
        `person_id, item, weight` (records), ordered.
    """
    counted = visits.group_by("person_id", item="domain").agg(weight=visits.count())
    return counted.order_by(["person_id", "item"])


def domain_categories(domains: Sequence[str], categories: Mapping[str, Sequence[str]]) -> pd.Series:
    """Look up the category of every domain in a table of patterns.

    Parameters
    ----------
    domains : sequence of str, shape (n_domains,)
        Domains, each once.
    categories : mapping of str to sequence of str
        For each category its domains; ``*`` stands for any letters, ``?`` for one and ``[0-9]`` for
        a digit. The first category that has the domain counts.

    Returns
    -------
    pandas.Series of str, shape (n_domains,)
        By domain its category; missing where no category has it.

    Examples
    --------
    >>> domain_categories(["google.de", "a.org"], {"search": ["google.*"]}).to_dict()
    {'google.de': 'search', 'a.org': nan}
    """
    found = pd.Series(np.nan, index=pd.Index(domains, name="domain"), dtype="str")
    for name, patterns in reversed(list(categories.items())):
        either = "|".join(fnmatch.translate(pattern.lower()) for pattern in patterns)
        if either:
            found[found.index.str.match(re.compile(either))] = name
    return found


def category_shares(incidence: pd.DataFrame, categories: pd.Series) -> pd.DataFrame:
    """Give the share of each user's records that each category has.

    Parameters
    ----------
    incidence : pandas.DataFrame
        From `incidence`.
    categories : pandas.Series of str
        By domain its category, from `domain_categories`.

    Returns
    -------
    pandas.DataFrame, shape (n_users, n_categories)
        Columns ``share_<category>`` in alphabetical order, indexed by user; what no category has is
        missing from the sum.
    """
    category = incidence["item"].map(categories)
    sums = incidence.groupby(["person_id", category])["weight"].sum().unstack(fill_value=0)
    total = incidence.groupby("person_id")["weight"].sum()
    shares = sums.reindex(total.index, fill_value=0).div(total, axis=0)
    return shares.add_prefix("share_").rename_axis(columns=None)
