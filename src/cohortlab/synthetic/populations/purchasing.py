"""Purchasing functions: which item each purchase takes, given who buys.

A purchasing function takes a `Market` and a random generator and returns the position of an item
for each purchase; one of your own is passed to `generate_purchases` like those here.
"""

from dataclasses import dataclass

import numpy as np

from cohortlab.synthetic.populations.tastes import Affinity
from cohortlab.synthetic.relations import draw_columns, draw_within


@dataclass(frozen=True)
class Market:
    """What a purchasing function knows.

    Attributes
    ----------
    person : ndarray of int, shape (n_purchases,)
        Who buys: positions of people, ascending; one person's purchases are in order of time.
    person_cluster : ndarray of int, shape (n_people,)
        Cluster of each person.
    relation : ndarray, shape (n_person_clusters, n_item_clusters)
        Propensities; rows sum to one.
    item_order : ndarray of int, shape (n_items,)
        Positions of the items, ordered by their cluster.
    stacked : ndarray, shape (n_items,)
        Popularity within the clusters, of the items in this order (see
        `cohortlab.synthetic.relations.stacked_cumulative`).
    affinity : callable or None
        From `cohortlab.synthetic.populations.tastes`.
    """

    person: np.ndarray
    person_cluster: np.ndarray
    relation: np.ndarray
    item_order: np.ndarray
    stacked: np.ndarray
    affinity: Affinity | None

    def draw_clusters(self, *, rng: np.random.Generator) -> np.ndarray:
        """Draw the item cluster of every purchase by the relation."""
        return draw_columns(self.relation, self.person_cluster[self.person], rng=rng)

    def draw_items(self, clusters: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Draw an item of each given cluster by popularity."""
        return self.item_order[draw_within(clusters, self.stacked, rng=rng)]


def by_cluster(market: Market, rng: np.random.Generator) -> np.ndarray:
    """Choose a cluster of items by the relation, then an item of it by popularity.

    Parameters
    ----------
    market : Market
        Who buys, and what there is.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int, shape (n_purchases,)
        Positions of items.
    """
    return market.draw_items(market.draw_clusters(rng=rng), rng=rng)


def by_features(market: Market, rng: np.random.Generator, *, n_candidates: int = 8) -> np.ndarray:
    """Choose a cluster by the relation, look at a few of its items, take the one that suits best.

    Parameters
    ----------
    market : Market
        With tastes; without them this is `by_cluster`.
    rng : numpy.random.Generator
        Source of randomness.
    n_candidates : int
        Items looked at for every purchase, drawn by popularity; more of them follow the tastes
        more closely.

    Returns
    -------
    ndarray of int, shape (n_purchases,)
        Positions of items.

    Notes
    -----
    A candidate is taken with a chance proportional to the exponential of its affinity (a logit
    choice), by the largest sum of affinity and a Gumbel variable. Tastes decide between the items
    of a cluster only, so the relation of the clusters stays the one that was planted.

    References
    ----------
    McFadden (1974), Conditional logit analysis of qualitative choice behavior.
    """
    clusters = market.draw_clusters(rng=rng)
    chosen = market.draw_items(clusters, rng=rng)
    if market.affinity is None:
        return chosen
    best = market.affinity(market.person, chosen) + rng.gumbel(size=len(chosen))
    for _ in range(n_candidates - 1):
        candidate = market.draw_items(clusters, rng=rng)
        value = market.affinity(market.person, candidate) + rng.gumbel(size=len(chosen))
        chosen = np.where(value > best, candidate, chosen)
        best = np.maximum(value, best)
    return chosen


def by_habit(market: Market, rng: np.random.Generator, *, habit: float = 0.5) -> np.ndarray:
    """Repeat one of the person's own earlier purchases, or choose a new one.

    Parameters
    ----------
    market : Market
        New purchases follow `by_features`.
    rng : numpy.random.Generator
        Source of randomness.
    habit : float
        Chance, 0 to 1, that a purchase after the first repeats an earlier one, each as likely.

    Returns
    -------
    ndarray of int, shape (n_purchases,)
        Positions of items. A person's purchases depend on each other: tests that take edges for
        independent are too sure of themselves here.

    References
    ----------
    Simon (1955), On a class of skew distribution functions (repeating a past choice).
    """
    if not 0 <= habit <= 1:
        raise ValueError(f"habit: expected a number from 0 to 1, got {habit!r}")
    chosen = by_features(market, rng)
    places = np.arange(len(chosen))
    is_first = np.diff(market.person, prepend=-1) != 0
    first = np.maximum.accumulate(np.where(is_first, places, 0))
    repeats = (rng.random(len(chosen)) < habit) & ~is_first
    earlier = first + (rng.random(len(chosen)) * (places - first)).astype(np.int64)
    source = np.where(repeats, earlier, places)
    # A repeated purchase may be a repetition itself: follow it to the first of them.
    while not np.array_equal(source[source], source):
        source = source[source]
    return chosen[source]


#: The purchasing functions by name.
PURCHASING = {"cluster": by_cluster, "features": by_features, "habit": by_habit}
