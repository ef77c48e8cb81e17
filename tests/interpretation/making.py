"""Sequences and samples for tests of descriptions."""

import pandas as pd
from visits import MONDAY_MS, visits

from cohortlab.browsing import sentences
from cohortlab.interpretation import Description

HOUR_MS = 3_600_000
#: What three kinds of people visit, and when: two domains and an hour each.
KINDS = {
    "mail": (["web.de", "gmx.net"], 10),
    "films": (["youtube.com", "netflix.com"], 20),
    "papers": (["bild.de", "spiegel.de"], 7),
}
CATEGORIES = {domain: kind for kind, (domains, _) in KINDS.items() for domain in domains}


def person(number, kind, *, n_sequences=4, extra=()):
    """Let a person visit the domains of a kind, google.com and some of their own, day by day."""
    domains, hour = KINDS[kind]
    rows = [(i * 30, name, 20) for i, name in enumerate([*domains, "google.com", *extra])]
    start = MONDAY_MS + hour * HOUR_MS
    return pd.concat(
        visits(*rows, person=number, number=day + 1, start=start + day * 24 * HOUR_MS)
        for day in range(n_sequences)
    )


def market(n_each=6, **options):
    """Give visits, sentences and labels of some people of each kind."""
    kinds = [kind for kind in KINDS for _ in range(n_each)]
    log = pd.concat(
        [person(number, kind, **options) for number, kind in enumerate(kinds)], ignore_index=True
    )
    return log, sentences(log), pd.Series(kinds, name="cluster").rename_axis("person_id")


def told(*triples):
    """Build descriptions from (cluster, keywords parted by blanks, sentence)."""
    return [Description(c, tuple(words.split()), sentence) for c, words, sentence in triples]
