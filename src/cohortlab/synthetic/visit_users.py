"""Users of the synthetic browsing log: what each one likes, and what they visit when."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cohortlab.synthetic.distributions import draw_counts, draw_gaps_ms, popularity
from cohortlab.synthetic.relations import draw_columns, draw_within, stacked_cumulative


@dataclass(frozen=True)
class Web:
    """The domains there are.

    Attributes
    ----------
    names : list of str
        Domains, category by category, the most popular of each first.
    category : numpy.ndarray of int, shape (n_domains,)
        Category of each.
    category_names : tuple of str
        Names of the categories.
    stacked : numpy.ndarray, shape (n_domains,)
        Popularity within the category, as `draw_within` takes it.
    """

    names: list[str]
    category: np.ndarray
    category_names: tuple[str, ...]
    stacked: np.ndarray


def make_web(categories: Mapping, *, popularity_exponent: float) -> Web:
    """Name the domains: the portals of each category first, then ``<category><number>.<suffix>``.

    Parameters
    ----------
    categories : mapping
        Blocks with `domains` (how many) and `portals` (the names of the most popular).
    popularity_exponent : float
        Zipf's exponent within each category.

    Returns
    -------
    Web
        The domains.
    """
    suffixes = ("de", "com", "net", "co.uk")
    names, sizes = [], []
    for name, block in categories.items():
        further = range(len(block["portals"]), block["domains"])
        names += [*block["portals"], *(f"{name}{i}.{suffixes[i % 4]}" for i in further)]
        sizes.append(block["domains"])
    category = np.repeat(np.arange(len(sizes)), sizes)
    weights = np.concatenate([popularity(n, exponent=popularity_exponent) for n in sizes])
    return Web(names, category, tuple(categories), stacked_cumulative(weights, category))


@dataclass(frozen=True)
class Browsing:
    """What the plan says of all users.

    Attributes
    ----------
    types : mapping
        User types by name.
    interests : numpy.ndarray, shape (n_types, n_categories)
        Shares of the visits of each type; each row sums to one.
    web : Web
        The domains.
    records : mapping
        `median`, `mean` and `maximum` of a user's records.
    domains_per_user : float
        Domains that a user with the mean number of records draws from.
    repertoire_exponent : float
        How this number grows with the records.
    individuality : float
        0: users have the interests of their type; near 1: nearly their own alone.
    start_ms, days, session_gap_sec : int
        The window, and the gap between sequences, as `place_sessions` takes them.
    """

    types: Mapping
    interests: np.ndarray
    web: Web
    records: Mapping
    domains_per_user: float
    repertoire_exponent: float
    individuality: float
    start_ms: int
    days: int
    session_gap_sec: int

    def of_type(self, key: str) -> np.ndarray:
        """Collect one number of every type, in their order."""
        return np.array([float(profile[key]) for profile in self.types.values()])


def draw_interests(kind: np.ndarray, plan: Browsing, *, rng: np.random.Generator) -> np.ndarray:
    """Draw each user's shares of the categories, around those of the type.

    Parameters
    ----------
    kind : numpy.ndarray of int, shape (n_users,)
        Type of each user.
    plan : Browsing
        What is planted.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    numpy.ndarray, shape (n_users, n_categories)
        Rows that sum to one: Dirichlet with the mean of the type. `individuality` is the share
        1 / (1 + c) that the concentration c leaves to chance.
    """
    mean = plan.interests[kind]
    if plan.individuality == 0:
        return mean
    concentration = 1 / plan.individuality - 1
    # A gamma of shape near 0 underflows to 0; the floor keeps a row from vanishing as a whole.
    drawn = rng.gamma(np.maximum(mean * concentration, 1e-9)) + mean * 1e-9
    return drawn / drawn.sum(axis=1, keepdims=True)


def draw_sequences(
    kind: np.ndarray, plan: Browsing, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw how many sequences each user has, and how many visits each of them.

    Parameters
    ----------
    kind : numpy.ndarray of int, shape (n_users,)
        Type of each user.
    plan : Browsing
        What is planted.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    user, n_visits : numpy.ndarray of int, shape (n_sequences,)
        The user of each sequence, in order, and its visits.

    Notes
    -----
    Who has more records has both more sequences and longer ones, by the square root each; a day
    has room for few sequences.
    """
    records = plan.records
    spread = np.sqrt(2 * np.log(records["mean"] / records["median"]))
    wanted = records["median"] * np.exp(spread * rng.standard_normal(len(kind)))
    wanted = np.minimum(wanted, records["maximum"])
    mean = np.array([profile["visits"]["mean"] for profile in plan.types.values()])[kind]
    # How much longer a user's sequences are than those of the type.
    length = np.sqrt(wanted / records["mean"])
    number = np.maximum(np.rint(wanted / (mean * length)), 1).astype(np.int64)
    user = np.repeat(np.arange(len(kind)), number)
    n_visits = np.zeros(len(user), dtype=np.int64)
    for position, profile in enumerate(plan.types.values()):
        is_kind = kind[user] == position
        n_visits[is_kind] = draw_counts(int(is_kind.sum()), profile["visits"], rng=rng)
    n_visits = np.maximum(np.rint(n_visits * length[user]), 1).astype(np.int64)
    return user, n_visits


def draw_domains(
    user: np.ndarray,
    sequence: np.ndarray,
    kind: np.ndarray,
    interests: np.ndarray,
    plan: Browsing,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the domain of each visit from the user's own repertoire.

    Parameters
    ----------
    user, sequence : numpy.ndarray of int, shape (n_visits,)
        User and sequence of each visit, in order.
    kind : numpy.ndarray of int, shape (n_users,)
        Type of each user.
    interests : numpy.ndarray, shape (n_users, n_categories)
        From `draw_interests`.
    plan : Browsing
        What is planted.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    numpy.ndarray of int, shape (n_visits,)
        Position of the domain in the web.

    Notes
    -----
    People return to what they know. A user's repertoire has, for each category, places in
    proportion to the interest, filled from the popularity of the domains; a visit takes a place by
    Zipf's law with exponent one. So domains are heavy-tailed both for each user and over all.
    """
    category = _draw_categories(user, sequence, kind, interests, plan, rng)
    size, first = _repertoires(np.bincount(user, minlength=len(kind)), interests, plan)
    owner = np.repeat(np.arange(size.size), size.ravel())
    domains = draw_within(owner % interests.shape[1], plan.web.stacked, rng=rng)
    n_places = size[user, category]
    place = np.floor((n_places + 1.0) ** rng.random(len(user))).astype(np.int64) - 1
    return domains[first[user, category] + np.minimum(place, n_places - 1)]


def _draw_categories(
    user: np.ndarray,
    sequence: np.ndarray,
    kind: np.ndarray,
    interests: np.ndarray,
    plan: Browsing,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw each visit's category anew, or stay in that of the visit before."""
    stays = rng.random(len(user)) < plan.of_type("stay_probability")[kind[user]]
    stays &= np.diff(sequence, prepend=-1) == 0
    drawn = draw_columns(interests, user, rng=rng)
    return drawn[np.maximum.accumulate(np.where(stays, 0, np.arange(len(user))))]


def _repertoires(
    n_records: np.ndarray, interests: np.ndarray, plan: Browsing
) -> tuple[np.ndarray, np.ndarray]:
    """Give each user places in each category, at least one: how many, and where they begin."""
    growth = (n_records / plan.records["mean"]) ** plan.repertoire_exponent
    places = plan.domains_per_user * growth[:, None] * interests
    size = np.maximum(np.rint(places), 1).astype(np.int64)
    first = np.cumsum(size.ravel()) - size.ravel()
    return size, first.reshape(size.shape)


def draw_times(
    user: np.ndarray,
    sequence: np.ndarray,
    kind: np.ndarray,
    plan: Browsing,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw how long each visit lasts, and when it starts after the first of its sequence.

    Parameters
    ----------
    user, sequence : numpy.ndarray of int, shape (n_visits,)
        User and sequence of each visit, in order.
    kind : numpy.ndarray of int, shape (n_users,)
        Type of each user.
    plan : Browsing
        What is planted.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    offset_ms, active_ms : numpy.ndarray of int, shape (n_visits,)
        Whole seconds, in milliseconds.
    """
    of = kind[user]
    active = draw_gaps_ms(
        plan.of_type("active_median_sec")[of], plan.of_type("active_spread")[of],
        limit_sec=plan.session_gap_sec, rng=rng,
    )  # fmt: skip
    pause = draw_gaps_ms(
        plan.of_type("gap_median_sec")[of], plan.of_type("gap_spread")[of],
        limit_sec=plan.session_gap_sec, rng=rng,
    )  # fmt: skip
    active, pause = np.maximum(active // 1000, 1) * 1000, pause // 1000 * 1000
    # Each visit starts after all before it and their pauses.
    end = np.cumsum(active + pause)
    begin = end - active - pause
    first = np.flatnonzero(np.diff(sequence, prepend=-1))
    return begin - np.repeat(begin[first], np.diff(first, append=len(sequence))), active
