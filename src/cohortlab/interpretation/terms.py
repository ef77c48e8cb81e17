"""Terms: the domains, times and habits of a sequence of visits, in words that a text may use."""

import re
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from cohortlab.browsing import engineered_features
from cohortlab.interpretation.sampling import KEYS

#: What is said of a sequence: term -> (kind, feature of `cohortlab.browsing`, from, to).
HABITS = {
    "night": ("time", "is_night", 1, 1),
    "morning": ("time", "is_morning", 1, 1),
    "afternoon": ("time", "is_afternoon", 1, 1),
    "evening": ("time", "is_evening", 1, 1),
    "weekend": ("time", "is_weekend", 1, 1),
    "working hours": ("time", "is_working_hours", 1, 1),
    "brief visits": ("habit", "active_median_sec", 0, 10),
    "long visits": ("habit", "active_median_sec", 60, np.inf),
    "short sittings": ("habit", "duration_sec", 0, 600),
    "long sittings": ("habit", "duration_sec", 3600, np.inf),
    "single domain": ("habit", "n_domains", 1, 1),
    "many domains": ("habit", "n_domains", 10, np.inf),
    "back and forth": ("habit", "there_and_back_rate", 0.25, 1),
}
KINDS = ("domain", "category", "time", "habit")

_WORD = re.compile(r"\w[\w.-]*\w|\w")
_LONGEST_TERM = 3


def sequence_terms(
    visits: pd.DataFrame, *, categories: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """
    Say in terms what each sequence consists of.

    Parameters
    ----------
    visits : pandas.DataFrame
        One row a visit, from `cohortlab.browsing.make_sequences`; at least one.
    categories : mapping of str to str, optional
        The category of a domain. Leave out domains whose category says nothing, such as "other".

    Returns
    -------
    pandas.DataFrame
        One row a sequence and term: `person_id`, `sequence_number`, `kind` (one of `KINDS`),
        `term` and `weight`, from 0 to 1: of domains and categories the share of the visits, of
        times and habits 1 where `HABITS` says that it holds.

    Raises
    ------
    ValueError
        If there is no visit.
    """
    features = engineered_features(visits, categories={})
    category = visits["domain"].map(dict(categories or {}))
    parts = [_shares(visits, visits["domain"], "domain"), _shares(visits, category, "category")]
    for term, (kind, column, low, high) in HABITS.items():
        held = features.loc[features[column].between(low, high), KEYS]
        parts.append(held.assign(kind=kind, term=term, weight=1.0))
    return pd.concat(parts, ignore_index=True).sort_values(
        [*KEYS, "kind", "term"], ignore_index=True
    )


def _shares(visits: pd.DataFrame, term: pd.Series, kind: str) -> pd.DataFrame:
    """Give the share of a sequence's visits that each term has."""
    keys = [visits[key] for key in KEYS]
    weight = 1 / visits.groupby(keys)["domain"].transform("size")
    table = weight.groupby([*keys, term.rename("term").astype("str")]).sum().rename("weight")
    return table.reset_index().assign(kind=kind)


def find_terms(text: str, vocabulary: Collection[str]) -> set[str]:
    """
    Find the terms that a text uses.

    Parameters
    ----------
    text : str
        A description, by a describer or by hand.
    vocabulary : collection of str
        Terms; of domains the part before the first point stands for the whole, where it has four
        letters at least and stands for no other term.

    Returns
    -------
    set of str
        Terms found as whole words, also in capitals and with a plural's s.

    Examples
    --------
    >>> sorted(find_terms("Facebook on weekends, mail.de.", ["facebook.com", "weekend", "mail.de"]))
    ['facebook.com', 'mail.de', 'weekend']
    """
    meant = _spellings(vocabulary)
    words = _WORD.findall(text.lower())
    phrases = {
        " ".join(words[at : at + n])
        for n in range(1, _LONGEST_TERM + 1)
        for at in range(len(words) - n + 1)
    }
    phrases |= {phrase.removesuffix("s") for phrase in phrases}
    return {meant[phrase] for phrase in phrases if meant.get(phrase)}


def _spellings(vocabulary: Collection[str]) -> dict[str, str]:
    """Map how a term may be written to the term; to nothing where that could mean several."""
    short: dict[str, str] = {}
    for term in vocabulary:
        name, point, _ = term.lower().partition(".")
        if point and len(name) >= 4:
            short[name] = "" if name in short else term
    return short | {term.lower(): term for term in vocabulary}
