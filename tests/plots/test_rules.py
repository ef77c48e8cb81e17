import matplotlib.pyplot as plt
import pandas as pd

from cohortlab.plots.rules import grouped_matrix


def test_items_whose_names_begin_alike_are_not_taken_for_one():
    alike = "a very long name of a product that begins alike and ends "
    rules = pd.DataFrame(
        {
            "antecedents": [frozenset({"1"}), frozenset({"2"}), frozenset({"1", "3"})],
            "consequents": [frozenset({"9"})] * 3,
            "support": [0.1, 0.2, 0.05],
            "lift": [2.0, 4.0, 3.0],
        }
    )
    figure = grouped_matrix(rules, {"1": alike + "one", "2": alike + "two", "9": "milk"})
    assert len(figure.axes[0].get_xticklabels()) == 3
    assert sorted(figure.axes[0].collections[0].get_array()) == [2.0, 3.0, 4.0]
    plt.close(figure)
