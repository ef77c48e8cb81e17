"""
Curves that bend one column before it is centred and scaled: logarithms, powers, ranks.

A curve is three functions of one column: `learn` gives the few numbers that it needs, `bend`
applies it with them, and `unbend` goes back. Bending and unbending use the numbers learnt and
nothing else, so scoring learns nothing anew.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import boxcox1p, inv_boxcox1p, ndtri
from sklearn.preprocessing import PowerTransformer

#: Most points that a curve of ranks keeps; between them it is a straight line.
RANK_POINTS = 1000

Column = np.ndarray
Learnt = list[float]


class Curve(NamedTuple):
    """What a curve does to one column.

    Attributes
    ----------
    learn : callable
        Column of shape (n_rows,) -> list of float.
    bend, unbend : callable
        Column and what was learnt -> column of the same shape.
    """

    learn: Callable[[Column], Learnt]
    bend: Callable[[Column, Learnt], Column]
    unbend: Callable[[Column, Learnt], Column]


def _nothing(column: Column) -> Learnt:
    return []


def _same(column: Column, learnt: Learnt) -> Column:
    return column


def _power(column: Column) -> Learnt:
    # The likelihood of a constant column does not depend on the power: 1 leaves it as it is.
    if column.min() == column.max():
        return [1.0]
    transformer = PowerTransformer(method="yeo-johnson", standardize=False)
    return [float(transformer.fit(column[:, None]).lambdas_[0])]


def _bend_power(column: Column, learnt: Learnt) -> Column:
    (power,) = learnt
    above, below = np.maximum(column, 0.0), np.maximum(-column, 0.0)
    return boxcox1p(above, power) - boxcox1p(below, 2.0 - power)


def _unbend_power(column: Column, learnt: Learnt) -> Column:
    (power,) = learnt
    above, below = np.maximum(column, 0.0), np.maximum(-column, 0.0)
    return inv_boxcox1p(above, power) - inv_boxcox1p(below, 2.0 - power)


def _signed(column: Column, learnt: Learnt) -> Column:
    return np.sign(column) * np.log1p(np.abs(column))


def _unsigned(column: Column, learnt: Learnt) -> Column:
    return np.sign(column) * np.expm1(np.abs(column))


def _ranks(column: Column) -> Learnt:
    values, counts = np.unique(column, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(column)
    kept = np.unique(np.linspace(0, len(values) - 1, min(len(values), RANK_POINTS)).round())
    places = kept.astype(int)
    return [*map(float, values[places]), *map(float, ndtri(middle[places]))]


def _halves(learnt: Learnt) -> tuple[np.ndarray, np.ndarray]:
    values, scores = np.split(np.asarray(learnt), 2)
    return values, scores


def _bend_ranks(column: Column, learnt: Learnt) -> Column:
    values, scores = _halves(learnt)
    return np.interp(column, values, scores)


def _unbend_ranks(column: Column, learnt: Learnt) -> Column:
    values, scores = _halves(learnt)
    return np.interp(column, scores, values)


#: Curves by name. `log1p`: sign(x) log(1 + |x|). `yeo_johnson`: the power of Yeo and Johnson (2000,
#: Biometrika 87, 954-959, eq. 2.1) whose likelihood under a normal law is largest. `rank`: normal
#: scores, the normal quantile of the share of rows below a value plus half of those at it (van der
#: Waerden); values beyond those seen get the score of the nearest.
CURVES = {
    "none": Curve(_nothing, _same, _same),
    "log1p": Curve(_nothing, _signed, _unsigned),
    "yeo_johnson": Curve(_power, _bend_power, _unbend_power),
    "rank": Curve(_ranks, _bend_ranks, _unbend_ranks),
}
