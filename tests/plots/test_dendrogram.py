import matplotlib.pyplot as plt
import numpy as np
import pytest

from cohortlab.clusters import linkage_tree
from cohortlab.plots.dendrogram import dendrogram, leaf_members


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def tree_of(n_rows, *, linkage="ward", seed=0):
    rng = np.random.default_rng(seed)
    return linkage_tree(rng.normal(size=(n_rows, 2)), linkage=linkage)


def texts(figure):
    return [label.get_text() for label in figure.axes[-1].get_yticklabels()]


def widths(figure):
    """By known group the lengths of its bars."""
    bars = figure.axes[1].containers
    return {c.get_label(): np.array([bar.get_width() for bar in c]) for c in bars}


def test_every_row_is_a_leaf_and_every_join_a_branch():
    names = [f"row {k}" for k in range(12)]
    figure = dendrogram(tree_of(12), labels=names)
    assert sorted(texts(figure)) == sorted(names)
    assert len(figure.axes[0].lines) == 11


def test_neighbours_in_the_tree_are_neighbours_in_the_drawing():
    figure = dendrogram(linkage_tree(np.array([[0.0], [9.0], [0.1], [9.2]])), labels=list("abcd"))
    assert {frozenset(texts(figure)[:2]), frozenset(texts(figure)[2:])} == {
        frozenset("ac"),
        frozenset("bd"),
    }


@pytest.mark.parametrize("linkage", ["ward", "single"])
def test_more_rows_than_leaves_become_counted_clusters(linkage):
    # A chain of single linkage as long as this is deeper than Python may recurse.
    tree = tree_of(1500, linkage=linkage)
    figure = dendrogram(tree, max_leaves=30)
    shown = texts(figure)
    counts = [int(t[1:].split()[0].replace(",", "")) if t[0] == "(" else 1 for t in shown]
    assert len(shown) == 30
    assert sum(counts) == 1500
    assert figure.axes[0].get_title() == "the last 29 of 1,499 joins"


def test_bars_show_the_known_groups_of_each_leaf():
    tree = linkage_tree(np.array([[0.0], [0.1], [0.2], [9.0], [9.1]]))
    figure = dendrogram(tree, groups=list("aabbb"), max_leaves=2)
    large = [text == "(3 rows)" for text in texts(figure)].index(True)
    assert widths(figure)["a"][large] == pytest.approx(2 / 3)
    assert widths(figure)["b"][1 - large] == 1.0


@pytest.mark.parametrize("n_clusters", [1, 2, 5, 12])
def test_cut_crosses_as_many_branches_as_clusters(n_clusters):
    tree = tree_of(12)
    figure = dendrogram(tree, n_clusters=n_clusters)
    cut = figure.axes[0].lines[-1].get_xdata()[0]
    assert (tree[:, 2] > cut).sum() == n_clusters - 1
    assert f"cut into {n_clusters}" in figure.axes[0].get_title()


def test_equal_rows_join_at_distance_zero():
    assert len(texts(dendrogram(linkage_tree(np.zeros((3, 1)))))) == 3


def test_names_are_no_formulas():
    figure = dendrogram(tree_of(3), labels=["$x$", "y", "z"], groups=["$a_{$", "b", "b"])
    figure.canvas.draw()
    assert r"\$x\$" in texts(figure)


def test_members_of_all_leaves_are_all_rows():
    tree = tree_of(40)
    top = 40 + len(tree) - 1
    assert leaf_members(tree, [top]) == [list(range(40))]
    left, right = leaf_members(tree, tree[-1, :2].astype(int))
    assert sorted(left + right) == list(range(40))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ["a"]}, "labels: expected one for each of 6 rows, got 1"),
        ({"groups": ["a"]}, "groups: expected one for each of 6 rows, got 1"),
        ({"max_leaves": 1}, "max_leaves is 1"),
        ({"n_clusters": 7}, "n_clusters is 7: expected 1 to 6"),
    ],
)
def test_what_does_not_fit_the_tree_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        dendrogram(tree_of(6), **options)
