"""What the figures of a mixture show, cell by cell and component by component."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from cohortlab.mixture import GaussianMixture, bells, ellipses, merge_components, project, search
from cohortlab.plots.mixture import (
    components_on_line,
    components_on_plane,
    criterion_heat_map,
    criterion_lines,
    merge_entropy,
)

NAN = np.nan
TABLE = pd.DataFrame(
    [
        ("EEE", 1, "ok", 5000.0, 5000.0),
        ("EEE", 2, "ok", 3600.0, 3600.0),
        ("EEE", 3, "vetoed: a component rests on 2 rows", 3100.0, 3700.0),
        ("VVV", 1, "ok", 5010.0, 5010.0),
        ("VVV", 2, "vetoed: a variance is at the floor", 3000.0, NAN),
        ("VVV", 3, "no fit: a covariance became singular in every start", NAN, NAN),
    ],
    columns=["model", "n_components", "verdict", "bic", "sound_bic"],
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def points_of(line):
    return {(x, y) for x, y in zip(*line.get_data(), strict=True) if not np.isnan(y)}


def marks_of(axes, *, hollow):
    """Points drawn with hollow marks, or with filled ones."""
    own = [
        line
        for line in axes.get_lines()
        if line.get_linestyle() == "None" and (line.get_markerfacecolor() == "white") == hollow
    ]
    return set().union(*map(points_of, own))


def test_vetoed_cells_are_hollow_and_sound_optima_filled():
    for axes in criterion_lines(TABLE).axes:
        assert marks_of(axes, hollow=True) == {(3, 3100.0), (2, 3000.0)}
        sound = {(1, 5000.0), (2, 3600.0), (3, 3700.0), (1, 5010.0)}
        assert marks_of(axes, hollow=False) == sound


def test_every_model_has_a_line_a_colour_and_a_place_in_the_legend():
    figure = criterion_lines(TABLE)
    left, _ = figure.axes
    raw = [line for line in left.get_lines() if line.get_linestyle() == "-"]
    assert [points_of(line) for line in raw] == [
        {(1, 5000.0), (2, 3600.0), (3, 3100.0)},
        {(1, 5010.0), (2, 3000.0)},
    ]
    assert len({to_hex(line.get_color()) for line in raw}) == 2
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["EEE", "VVV"]
    assert left.get_ylabel() == "BIC (smaller is better)"


def test_fourteen_models_are_told_apart():
    many = pd.concat([TABLE[:3].assign(model=f"M{number:02}") for number in range(14)])
    lines = criterion_lines(many).axes[0].get_lines()
    raw = [line for line in lines if line.get_linestyle() == "-"]
    filled = [line for line in lines if line.get_label().startswith("M")]
    assert len({to_hex(line.get_color()) for line in raw}) == 14
    assert len({line.get_marker() for line in filled}) == 14


@pytest.mark.parametrize(
    ("chosen", "place"), [(("EEE", 3), (3, 3700.0)), (("VVV", 2), (2, 3000.0)), (None, None)]
)
def test_the_choice_is_ringed_at_its_sound_figure(chosen, place):
    rings = criterion_lines(TABLE, chosen=chosen).axes[0].collections
    assert [tuple(ring.get_offsets()[0]) for ring in rings] == ([place] if place else [])


def test_the_right_half_shows_the_lower_end():
    left, right = criterion_lines(TABLE).axes
    assert right.get_ylim()[0] < 3000.0
    assert 3600.0 < right.get_ylim()[1] < 5000.0 <= left.get_ylim()[1]


def notes_of(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_heat_map_says_how_far_each_cell_is_and_marks_vetoes():
    figure = criterion_heat_map(TABLE, chosen=("EEE", 2))
    # Differences to 3600; from 1000 on in thousands; the cell without a fit is left empty.
    expected = ["1.4k", "0", "-500 x", "1.4k", "-600 x"]
    assert [note.strip() for note in notes_of(figure)] == expected
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["EEE", "VVV"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "2", "3"]
    frames = [patch for patch in axes.patches if not patch.get_hatch()]
    assert [frame.get_xy() for frame in frames] == [(1, 0)]
    hatched = [patch.get_xy() for patch in axes.patches if patch.get_hatch()]
    assert hatched == [(2, 0), (1, 1)]


def test_one_far_cell_does_not_flatten_the_colours_of_the_others():
    sizes = range(1, 11)
    near = pd.DataFrame(
        {"model": "EEE", "n_components": sizes, "verdict": "ok", "bic": np.linspace(900, 0, 10)}
    )
    junk = near[9:].assign(model="VVV", verdict="vetoed: a variance", bic=-1e6)
    far = near[:1].assign(model="VVV", bic=1e6)
    table = pd.concat([near, junk, far]).assign(
        sound_bic=lambda t: t["bic"].where(t["verdict"] == "ok")
    )
    mesh = criterion_heat_map(table).axes[0].collections[0]
    assert mesh.get_clim() == (0.0, 900.0)
    assert notes_of(criterion_heat_map(table))[-1] == "-1000.0k x"


@pytest.mark.parametrize("draw", [criterion_lines, criterion_heat_map])
def test_a_search_of_one_cell_can_be_drawn(draw):
    figure = draw(TABLE[:1], chosen=("EEE", 1))
    figure.canvas.draw()
    assert figure.axes[0].get_xlabel() == "number of components"


def mixture_of(n_features, n_components, seed=0):
    rng = np.random.default_rng(seed)
    X = np.concatenate(
        [rng.normal(8.0 * place, 1, (60, n_features)) for place in range(n_components)]
    )
    return X, GaussianMixture(n_components, random_state=0).fit(X)


def draw_plane(X, mixture, kind="discriminant", **options):
    rows, outlines = project(X, mixture, kind), ellipses(mixture, kind)
    return components_on_plane(rows, outlines, kind=kind, **options), rows


@pytest.mark.parametrize("n_components", [1, 3])
@pytest.mark.parametrize("n_features", [2, 4])
@pytest.mark.parametrize("kind", ["discriminant", "principal"])
def test_the_plane_shows_every_component_by_number(n_features, n_components, kind):
    X, mixture = mixture_of(n_features, n_components)
    figure, rows = draw_plane(X, mixture, kind)
    figure.canvas.draw()
    left, right = figure.axes[:2]
    assert [text.get_text() for text in left.texts] == [str(one) for one in range(n_components)]
    assert [len(own.get_offsets()) for own in left.collections] == [60] * n_components
    assert len(left.get_lines()) == 2 * n_components
    assert len(right.collections[0].get_offsets()) == len(rows)
    assert left.get_xlabel() == right.get_xlabel() == f"first {kind} direction"
    assert left.get_ylabel() == f"second {kind} direction"


def test_numbers_of_components_that_lie_apart_do_not_overlap():
    figure, _ = draw_plane(*mixture_of(3, 3))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    pairs = [(one, other) for one in range(3) for other in range(one)]
    assert not any(boxes[one].overlaps(boxes[other]) for one, other in pairs)
    assert all(
        figure.axes[0].get_window_extent().contains(*box.get_points().mean(0)) for box in boxes
    )


def test_numbers_of_components_that_lie_on_each_other_are_moved_apart():
    rng = np.random.default_rng(0)
    X = np.concatenate([scale * rng.normal(size=(300, 2)) for scale in (1, 20, 400)])
    mixture = GaussianMixture(3, "VII", random_state=0).fit(X)
    figure, _ = draw_plane(X, mixture)
    figure.canvas.draw()
    boxes = [text.get_bbox_patch().get_window_extent() for text in figure.axes[0].texts]
    pairs = [(one, other) for one in range(3) for other in range(one)]
    assert not any(boxes[one].overlaps(boxes[other]) for one, other in pairs)


@pytest.mark.parametrize("n_components", [1, 3])
def test_one_feature_is_a_histogram_under_bells(n_components):
    X, mixture = mixture_of(1, n_components)
    rows = project(X, mixture).assign(value=X[:, 0])
    traced = bells(mixture)
    figure = components_on_line(rows, traced, label="spend_eur")
    figure.canvas.draw()
    upper, lower = figure.axes
    (stairs,) = upper.patches
    heights, edges, _ = stairs.get_data()
    assert (heights * np.diff(edges)).sum() == pytest.approx(1.0)
    total, *own = upper.get_lines()
    assert len(own) == n_components
    assert np.sum([line.get_ydata() for line in own], axis=0) == pytest.approx(total.get_ydata())
    assert np.trapezoid(total.get_ydata(), total.get_xdata()) == pytest.approx(1.0, abs=1e-3)
    density = np.exp(mixture.score_samples(total.get_xdata()[:, None]))
    assert total.get_ydata() == pytest.approx(density, rel=1e-9)
    assert len(lower.get_lines()[0].get_xdata()) == len(X)
    assert lower.get_xlabel() == "spend_eur"


def test_bells_are_of_one_feature():
    with pytest.raises(ValueError, match="2 features; expected one"):
        bells(mixture_of(2, 1)[1])


def test_the_least_certain_rows_lie_on_top():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1, (80, 2)), rng.normal(2.5, 1, (80, 2))])
    figure, rows = draw_plane(X, GaussianMixture(2, random_state=0).fit(X))
    shown = np.asarray(figure.axes[1].collections[0].get_array())
    assert (np.diff(shown) >= 0).all()
    assert shown[-1] == rows["uncertainty"].max() > 0.3


def test_many_rows_are_thinned_and_a_far_one_does_not_squeeze_the_others():
    X, mixture = mixture_of(2, 2)
    far = np.vstack([np.repeat(X, 20, axis=0), [[5000.0, 5000.0]]])
    figure, rows = draw_plane(far, mixture, max_points=500)
    left, right = figure.axes[:2]
    assert 450 <= len(right.collections[0].get_offsets()) <= 500
    low, high = rows["first"].iloc[:-1].agg(["min", "max"])
    assert left.get_xlim()[0] < low < high < left.get_xlim()[1] < low + 3 * (high - low)


def test_entropy_of_merges_is_drawn_from_all_components_down_to_one():
    X, mixture = mixture_of(2, 3)
    steps = merge_components(mixture.predict_proba(X)).steps
    left, right = merge_entropy(steps).axes
    assert points_of(left.get_lines()[0]) == set(
        zip(steps["n_clusters"], steps["entropy"], strict=True)
    )
    assert [bar.get_height() for bar in right.patches] == steps["drop"].tolist()[1:]
    assert left.xaxis_inverted()
    assert right.xaxis_inverted()


def test_a_real_search_is_drawn_with_its_vetoes():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(100, 2)), np.repeat([[9.0, 9.0]], 3, axis=0)])
    found = search(X, [1, 2, 3], ["EII", "VVV"], n_init=3, n_bootstrap=0)
    vetoed = found.table["verdict"] != "ok"
    chosen = (found.best.model, found.best.n_components)
    assert vetoed.any()
    figure = criterion_heat_map(found.table, chosen=chosen)
    assert sum(note.endswith(" x") for note in notes_of(figure)) == vetoed.sum()
    hollow = marks_of(criterion_lines(found.table, chosen=chosen).axes[0], hollow=True)
    raw = found.table.loc[vetoed & found.table["bic"].notna(), ["n_components", "bic"]]
    assert hollow == set(raw.itertuples(index=False, name=None))
