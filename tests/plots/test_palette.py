import numpy as np
from matplotlib import pyplot as plt

from cohortlab.plots.palette import distortions


def test_the_legend_hides_no_line(tmp_path):
    errors = {name: 1000.0 / np.arange(1, 9) ** p for name, p in (("flat", 2), ("noise", 0.1))}
    figure = distortions(errors, {"flat": 3, "noise": None})
    figure.savefig(tmp_path / "distortions.png")
    (legend,), (axes,) = figure.legends, figure.axes
    assert [text.get_text() for text in legend.get_texts()] == ["flat", "noise"]
    assert not legend.get_window_extent().overlaps(axes.get_window_extent())
    plt.close(figure)
