import matplotlib.pyplot as plt
import pandas as pd

from cohortlab.plots.rules import (
    grouped_matrix,
    lift_inside_and_outside,
    most_frequent_items,
    support_and_confidence,
)


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


def test_labels_keep_the_whole_id_of_every_item_however_long_its_name():
    name = "a very long name of a product that goes on and on and tells no number"
    titles = dict.fromkeys(["71", "82", "93"], name)
    rules = pd.DataFrame(
        {
            "antecedents": [frozenset({"71", "82"})],
            "consequents": [frozenset({"93"})],
            "support": [0.1],
            "lift": [2.0],
        }
    )
    figure = grouped_matrix(rules, titles)
    across, down = figure.axes[0].get_xticklabels(), figure.axes[0].get_yticklabels()
    assert all(f"[{i}]" in across[0].get_text() for i in (71, 82))
    assert down[0].get_text().endswith("… [93]")
    single = pd.DataFrame({"itemsets": [frozenset({"71"})], "support": [0.5]})
    bars = most_frequent_items(single, titles)
    assert bars.axes[0].get_yticklabels()[0].get_text().endswith("… [71]")
    plt.close("all")


def test_the_scale_of_lifts_says_that_the_highest_are_beyond_it():
    lifts = [*range(1, 100), 1000.0]
    rules = pd.DataFrame({"scope": "all", "support": 0.1, "confidence": 0.5, "lift": lifts})
    figure = support_and_confidence(rules)
    (bar,) = [axes._colorbar for axes in figure.axes if hasattr(axes, "_colorbar")]
    assert bar.vmax < 1000
    assert bar.extend == "max"
    plt.close(figure)


def test_a_legend_tells_filled_marks_from_open_ones():
    table = pd.DataFrame(
        {"cluster": [1, 1], "in lift": [2.0, 3.0], "out lift": [1.0, 3.0], "differs": [True, False]}
    )
    figure = lift_inside_and_outside(table, {1: "high revenue"})
    legend = figure.legends[0]
    shown = zip(legend.get_texts(), legend.legend_handles, strict=True)
    faces = {text.get_text(): mark.get_markerfacecolor() for text, mark in shown}
    assert faces == {"differs": "#d55e00", "does not differ": "none"}
    plt.close(figure)
