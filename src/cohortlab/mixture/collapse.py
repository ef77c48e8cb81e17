"""Equal rows become one weighted row, in an order that depends on the values alone."""

from dataclasses import dataclass

import numpy as np

_PIECE = 1 << 16


@dataclass(frozen=True)
class Rows:
    """Distinct rows with weights, centred and laid out feature by feature.

    Attributes
    ----------
    values : ndarray of shape (n_features, n_distinct)
        Distinct rows less `centre`.
    weights : ndarray of shape (n_distinct,)
        Total weight of each distinct row, all positive.
    centre : ndarray of shape (n_features,)
        Weighted mean that was taken off.
    inverse : ndarray of shape (n_samples,) or None
        Distinct row of every sample, -1 where its weight is zero.
    counts : ndarray of shape (n_distinct,) or None
        Rows that fell on each distinct row: its weight where all weights are whole numbers, as
        they count rows then; else its samples.
    """

    values: np.ndarray
    weights: np.ndarray
    centre: np.ndarray
    inverse: np.ndarray | None = None
    counts: np.ndarray | None = None

    @property
    def n_distinct(self) -> int:
        """Number of distinct rows."""
        return self.values.shape[1]

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.values.shape[0]

    @property
    def total_weight(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    def scatter(self, *, diagonal: bool) -> np.ndarray:
        """Sum the weighted products of features about the centre, in pieces of fixed size.

        Parameters
        ----------
        diagonal : bool
            Whether squares alone are summed.

        Returns
        -------
        ndarray of shape (n_features,) or (n_features, n_features)
            Weight times squared units of the data.
        """
        n_features = self.n_features
        total = np.zeros(n_features if diagonal else (n_features, n_features))
        for start in range(0, self.n_distinct, _PIECE):
            piece = self.values[:, start : start + _PIECE]
            weighted = piece * self.weights[start : start + _PIECE]
            total += np.einsum("ij,ij->i", weighted, piece) if diagonal else weighted @ piece.T
        return total

    def scales(self) -> np.ndarray:
        """Give the standard deviation of each feature, 1 where it does not vary.

        Returns
        -------
        ndarray of shape (n_features,)
            In units of the data; a spread of no more than rounding counts as none.
        """
        deviation = np.sqrt(self.scatter(diagonal=True) / self.total_weight)
        size = np.abs(self.centre)
        varies = deviation > 1e-14 * np.maximum(size, np.finfo(float).tiny)
        return np.where(varies, deviation, 1.0)


def row_keys(X: np.ndarray) -> np.ndarray:
    """Mix the bits of each row into one 64-bit number.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows; equal rows give equal keys.

    Returns
    -------
    ndarray of shape (n_samples,), uint64
        Keys.

    Notes
    -----
    The rounds are the finaliser of MurmurHash3 (64 bits), applied column by column.
    """
    keys = np.full(len(X), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for column in X.T:
        keys ^= np.ascontiguousarray(column).view(np.uint64)
        keys ^= keys >> np.uint64(33)
        keys *= np.uint64(0xFF51AFD7ED558CCD)
        keys ^= keys >> np.uint64(33)
        keys *= np.uint64(0xC4CEB9FE1A85EC53)
        keys ^= keys >> np.uint64(33)
    return keys


def _sorted_groups(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort rows by key; return the order and where a new distinct row begins."""
    keys = row_keys(X)
    order = np.argsort(keys, kind="stable")
    same_key = np.diff(keys[order]) == 0
    first = np.concatenate(([True], ~same_key))
    tied = np.flatnonzero(same_key)
    if (X[order[tied]] != X[order[tied + 1]]).any():
        # Two different rows with one key: sort by value instead, slower and always right.
        order = np.lexsort(X.T[::-1])
        ordered = X[order]
        first = np.concatenate(([True], (ordered[1:] != ordered[:-1]).any(axis=1)))
    return order, first


def collapse_rows(X: np.ndarray, sample_weight: np.ndarray | None = None) -> Rows:
    """Collapse equal rows to one row that carries their total weight.

    This is exact. The order of the distinct rows depends on their values alone, so whatever is
    computed from them is the same for any order of the samples, and the same for a weight of
    three as for three equal rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite float64 data.
    sample_weight : ndarray of shape (n_samples,), optional
        Non-negative weights; rows of weight zero are left out.

    Returns
    -------
    Rows
        Distinct rows.

    Examples
    --------
    >>> collapse_rows(np.array([[1.0], [3.0], [1.0]])).weights.tolist()
    [1.0, 2.0]
    """
    kept = np.arange(len(X)) if sample_weight is None else np.flatnonzero(sample_weight)
    X_kept = X[kept] + 0.0  # adding zero turns -0.0 into 0.0
    weight = np.ones(len(kept)) if sample_weight is None else sample_weight[kept]
    order, first = _sorted_groups(X_kept)
    starts = np.flatnonzero(first)
    # Equal rows of unequal weights are summed from the smallest, whatever order they came in.
    group = np.cumsum(first) - 1
    if sample_weight is not None:
        order = order[np.lexsort((weight[order], group))]
    weights = np.add.reduceat(weight[order], starts)
    values = X_kept[order[starts]]
    centre = (weights @ (values - values[0])) / weights.sum() + values[0]
    inverse = np.full(len(X), -1)
    inverse[kept[order]] = group
    whole = (weight == np.floor(weight)).all()
    counts = weights if whole else np.diff(starts, append=len(order)).astype(np.float64)
    return Rows(np.ascontiguousarray((values - centre).T), weights, centre, inverse, counts)


def subset_rows(rows: Rows, size: int, rng: np.random.Generator) -> Rows:
    """Draw a weighted sample of rows, keeping the total weight.

    Parameters
    ----------
    rows : Rows
        Rows to draw from.
    size : int
        Number of draws, each with probability proportional to weight.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Rows
        The rows drawn, or `rows` itself where there are no more than `size` of them.
    """
    if rows.n_distinct <= size:
        return rows
    counts = rng.multinomial(size, rows.weights / rows.total_weight)
    drawn = np.flatnonzero(counts)
    weights = counts[drawn] * (rows.total_weight / size)
    return Rows(np.ascontiguousarray(rows.values[:, drawn]), weights, rows.centre)
