"""The catalogue of a synthetic shop: groups, their categories and items, and their popularity."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_blocks
from cohortlab.synthetic.distributions import popularity
from cohortlab.synthetic.relations import draw_within, stacked_cumulative

GROUP_KEYS = ("share", "categories", "items")


@dataclass(frozen=True)
class Catalogue:
    """Groups of items in three levels: group, category, item.

    Attributes
    ----------
    group_names : tuple of str
        Names of the groups.
    group_shares : ndarray, shape (n_groups,)
        Shares of the groups in what is chosen where nothing is related.
    category_group : ndarray of int, shape (n_categories,)
        Group of each category.
    item_category : ndarray of int, shape (n_items,)
        Category of each item.
    group_ids, category_ids, item_ids : ndarray of int64
        Ids as written in the files. A group is a category at the root of the tree.
    categories_stacked, items_stacked : ndarray
        Popularity of the categories in their groups and of the items in their categories, for
        `cohortlab.synthetic.relations.draw_within`.
    """

    group_names: tuple[str, ...]
    group_shares: np.ndarray
    category_group: np.ndarray
    item_category: np.ndarray
    group_ids: np.ndarray
    category_ids: np.ndarray
    item_ids: np.ndarray
    categories_stacked: np.ndarray
    items_stacked: np.ndarray

    def draw_categories(self, groups: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Draw a category of each given group."""
        return draw_within(groups, self.categories_stacked, rng=rng)

    def draw_items(self, categories: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Draw an item of each given category."""
        return draw_within(categories, self.items_stacked, rng=rng)


def check_groups(groups: object) -> None:
    """Check the groups of a catalogue.

    Parameters
    ----------
    groups : object
        What the configuration holds: a mapping of names to blocks with the keys of `GROUP_KEYS`.

    Raises
    ------
    ValueError
        If shares do not sum to one, a key is unknown, or a group has fewer items than categories.
    """
    check_blocks(groups, GROUP_KEYS, where="groups")
    for name, group in groups.items():
        where = f"groups.{name}"
        check_number(group["categories"], where=f"{where}.categories", low=1, whole=True)
        low = group["categories"]
        check_number(group["items"], where=f"{where}.items", low=low, whole=True)


def make_catalogue(
    groups: Mapping, *, popularity_exponent: float, rng: np.random.Generator
) -> Catalogue:
    """Make groups, categories and items, with ids that say nothing about their place.

    Parameters
    ----------
    groups : mapping
        For each name its ``share``, number of ``categories`` and number of ``items``.
    popularity_exponent : float
        Zipf's exponent of categories in a group and of items in a category.
    rng : numpy.random.Generator
        Source of randomness for the ids.

    Returns
    -------
    Catalogue
        The catalogue; categories and items are in groups of falling popularity.
    """
    n_categories = np.array([group["categories"] for group in groups.values()])
    n_items = np.concatenate(
        [_spread(group["items"], group["categories"]) for group in groups.values()]
    )
    category_group = np.repeat(np.arange(len(groups)), n_categories)
    item_category = np.repeat(np.arange(n_categories.sum()), n_items)
    ids = rng.permutation(len(groups) + len(category_group))
    return Catalogue(
        group_names=tuple(groups),
        group_shares=np.array([group["share"] for group in groups.values()], dtype=float),
        category_group=category_group,
        item_category=item_category,
        group_ids=ids[: len(groups)],
        category_ids=ids[len(groups) :],
        item_ids=rng.permutation(len(item_category)),
        categories_stacked=_stack_popularity(category_group, n_categories, popularity_exponent),
        items_stacked=_stack_popularity(item_category, n_items, popularity_exponent),
    )


def _spread(total: int, parts: int) -> np.ndarray:
    return np.full(parts, total // parts) + (np.arange(parts) < total % parts)


def _stack_popularity(members: np.ndarray, sizes: np.ndarray, exponent: float) -> np.ndarray:
    weights = [popularity(size, exponent=exponent) for size in sizes]
    return stacked_cumulative(np.concatenate(weights), members)
