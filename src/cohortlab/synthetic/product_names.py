"""Names, codes and prices of the products of a synthetic wholesaler."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_blocks
from cohortlab.synthetic.distributions import popularity
from cohortlab.synthetic.relations import stacked_cumulative

GROUP_KEYS = ("share", "products", "price_median", "price_spread")
LOWEST_PENCE = 10
COLOURS = ("RED", "BLUE", "IVORY", "PINK", "GREEN", "BLACK", "VINTAGE", "RUSTIC", "SILVER", "RETRO")
PATTERNS = (
    "SPOTTY", "HEART", "CAFÉ", "ROSE", "CRÈME BRÛLÉE", "FLEUR DE LYS", "STAR", "OWL", "UNION FLAG",
    "NOËL", "5½ INCH", "£5 CLUB", "STRAWBERRY",
)  # fmt: skip
THINGS = (
    "MUG", "LANTERN", "T-LIGHT HOLDER", "BUNTING", "LUNCH BAG", "CAKE TIN", 'FRAME 7" SINGLE SIZE',
    "NOTEBOOK, RULED", "CANDLE", "HOT WATER BOTTLE", "DOORMAT",
)  # fmt: skip


@dataclass(frozen=True)
class Products:
    """Products in groups, each group from the most to the least popular.

    Attributes
    ----------
    group_names : tuple of str
        Names of the groups.
    group_shares : ndarray, shape (n_groups,)
        Shares of the groups in the lines where nothing is related.
    group : ndarray of int, shape (n_products,)
        Group of each product.
    codes, descriptions : tuple of str
        As written in the file.
    pence : ndarray of int, shape (n_products,)
        List price, in hundredths.
    stacked : ndarray, shape (n_products,)
        Popularity within the group, for `cohortlab.synthetic.relations.draw_within`.
    """

    group_names: tuple[str, ...]
    group_shares: np.ndarray
    group: np.ndarray
    codes: tuple[str, ...]
    descriptions: tuple[str, ...]
    pence: np.ndarray
    stacked: np.ndarray


def check_product_groups(groups: object) -> None:
    """Check the groups of products.

    Parameters
    ----------
    groups : object
        What the configuration holds: a mapping of names to blocks with the keys of `GROUP_KEYS`.

    Raises
    ------
    ValueError
        If shares do not sum to one, a key is unknown, or a value is out of range.
    """
    check_blocks(groups, GROUP_KEYS, where="groups")
    for name, group in groups.items():
        where = f"groups.{name}"
        check_number(group["products"], where=f"{where}.products", low=1, whole=True)
        check_number(group["price_median"], where=f"{where}.price_median", low=0.1, high=10_000)
        check_number(group["price_spread"], where=f"{where}.price_spread", low=0, high=3)


def make_products(
    groups: Mapping, *, popularity_exponent: float, rng: np.random.Generator
) -> Products:
    """Make the products of all groups.

    Parameters
    ----------
    groups : mapping
        For each name its ``share``, number of ``products``, ``price_median`` and ``price_spread``.
    popularity_exponent : float
        Zipf's exponent of the products in a group.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Products
        The products.
    """
    sizes = [block["products"] for block in groups.values()]
    group = np.repeat(np.arange(len(sizes)), sizes)
    median = np.array([block["price_median"] for block in groups.values()], dtype=float)[group]
    spread = np.array([block["price_spread"] for block in groups.values()], dtype=float)[group]
    price = median * np.exp(spread * rng.standard_normal(len(group)))
    weights = [popularity(size, exponent=popularity_exponent) for size in sizes]
    return Products(
        group_names=tuple(groups),
        group_shares=np.array([block["share"] for block in groups.values()], dtype=float),
        group=group,
        codes=_codes(len(group), rng),
        descriptions=_descriptions(len(group), rng),
        pence=np.clip(np.rint(price * 100), LOWEST_PENCE, 10_000_000).astype(np.int64),
        stacked=stacked_cumulative(np.concatenate(weights), group),
    )


def _codes(n_products: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Make five digits or more, sometimes with a letter after them, as in ``85123A``."""
    numbers = 20_000 + rng.permutation(max(n_products, 60_000))[:n_products]
    letters = np.array(["", "", "", "", "A", "B", "G"])[rng.integers(0, 7, n_products)]
    return tuple(f"{number}{letter}" for number, letter in zip(numbers, letters, strict=True))


def _descriptions(n_products: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Make different names; once all three-word names are used up a number follows."""
    n_names = len(COLOURS) * len(PATTERNS) * len(THINGS)
    names = rng.permutation(n_names)
    described = []
    for position in range(n_products):
        lap, name = position // n_names, names[position % n_names]
        words, colour = divmod(int(name), len(COLOURS))
        thing, pattern = divmod(words, len(PATTERNS))
        text = f"{COLOURS[colour]} {PATTERNS[pattern]} {THINGS[thing]}"
        described.append(text if lap == 0 else f"{text} NO {lap + 1}")
    return tuple(described)


def quoted(text: str) -> str:
    r"""Quote a field of a CSV file where it needs it.

    Parameters
    ----------
    text : str
        The field.

    Returns
    -------
    str
        In double quotes, its own doubled, where it holds a comma, a quote or a line break.

    Examples
    --------
    >>> quoted("NOTEBOOK, RULED"), quoted("MUG")
    ('"NOTEBOOK, RULED"', 'MUG')
    """
    needs_quotes = any(mark in text for mark in ',"\r\n')
    return '"' + text.replace('"', '""') + '"' if needs_quotes else text
