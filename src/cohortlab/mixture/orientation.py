"""Eigenvectors shared by all components, for the models EVE and VVE."""

from collections.abc import Callable

import numpy as np

from cohortlab.mixture.linear import for_each

_ROUNDS = 1
_FIRST_ROUNDS = 40
_TOLERANCE = 1e-13


def common_orientation(
    counts: np.ndarray,
    scatter: np.ndarray,
    variances_of: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find common axes and the variances along them.

    Parameters
    ----------
    counts : ndarray of shape (..., n_components)
        Effective sizes.
    scatter : ndarray of shape (..., n_components, n_features, n_features)
        Scatter about the means.
    variances_of : callable
        Gives the model's best variances from the scatter along the axes, both of shape
        (..., n_components, n_features).
    start : ndarray of shape (..., n_features, n_features), optional
        Axes to start from, as columns. Without it several are tried and the best is kept.

    Returns
    -------
    axes : ndarray of shape (..., n_features, n_features)
        Orthogonal axes, as columns; nan for a fit whose matrices cannot be decomposed.
    variances : ndarray of shape (..., n_components, n_features)
        Variances along them.

    Notes
    -----
    With the axes fixed, the variances have a closed form. With the variances a_kj fixed, the axes D
    minimise sum_k tr(W_k D A_k^-1 D'). Each round takes the two majorisation steps of Browne and
    McNicholas, which move all axes at once, then rotates every pair of axes by the angle that is
    exactly best for that pair (Flury and Gautschi). No step raises the criterion, so the likelihood
    cannot fall.

    References
    ----------
    Browne and McNicholas (2014), Estimating common principal components in high dimensions,
    Section 3. Flury and Gautschi (1986), An algorithm for simultaneous orthogonal transformation of
    several positive definite symmetric matrices to nearly diagonal form.
    """
    if start is None:
        axes = _best_start(counts, scatter, variances_of)
    else:
        # A leap of the acceleration that failed leaves no axes to go on from.
        known = np.isfinite(start).all(axis=(-2, -1))[..., None, None]
        start = np.where(known, start, np.eye(start.shape[-1]))
        axes = _improve(scatter, variances_of, start, _ROUNDS)
    return axes, variances_of(_spread(scatter, axes))


def _spread(scatter: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return the diagonal of D' W_k D."""
    rotated = scatter @ axes[..., None, :, :]
    return np.maximum(np.einsum("...ij,...kij->...kj", axes, rotated), 0.0)


def _best_start(counts: np.ndarray, scatter: np.ndarray, variances_of: Callable) -> np.ndarray:
    """Start from the axes of the pooled scatter, of each component, and of the features."""
    pooled = for_each(np.linalg.eigh, scatter.sum(axis=-3))[1]
    own = for_each(np.linalg.eigh, scatter)[1]
    starts = [pooled, np.broadcast_to(np.eye(scatter.shape[-1]), pooled.shape)]
    starts += [own[..., component, :, :] for component in range(own.shape[-3])]
    best, lowest = pooled, np.full(counts.shape[:-1], np.inf)
    for start in starts:
        axes = _improve(scatter, variances_of, start, _FIRST_ROUNDS)
        height = _criterion(counts, variances_of(_spread(scatter, axes)))
        better = height < lowest
        best = np.where(better[..., None, None], axes, best)
        lowest = np.where(better, height, lowest)
    return best


def _criterion(counts: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Weigh the log-determinants; at the best variances the trace term is constant."""
    return (counts * np.log(variances).sum(axis=-1)).sum(axis=-1)


def _improve(
    scatter: np.ndarray, variances_of: Callable, axes: np.ndarray, rounds: int
) -> np.ndarray:
    """Move the axes of each fit until they settle; one that is degenerate keeps its own.

    A fit that has settled is left alone, so that none depends on what runs beside it.
    """
    settled = np.zeros(axes.shape[:-2], dtype=bool)
    for _ in range(rounds):
        variances = variances_of(_spread(scatter, axes))
        sane = (np.isfinite(variances) & (variances > 0)).all(axis=(-2, -1))
        sane &= np.isfinite(scatter).all(axis=(-3, -2, -1))
        moving = sane & ~settled
        if not moving.any():
            return axes
        before, own = axes, moving[..., None, None]
        variances = np.where(own, variances, 1.0)
        # The best axes do not change with the units, and in these nothing overflows.
        precision = variances.min(axis=(-2, -1), keepdims=True) / variances
        safe = np.where(own[..., None], scatter, np.eye(scatter.shape[-1]))
        safe = safe / np.abs(safe).max(axis=(-3, -2, -1), keepdims=True)
        moved = _majorise(safe, precision, np.where(own, axes, np.eye(axes.shape[-1])))
        axes = np.where(own, _rotate_pairs(safe, precision, moved), axes)
        still = np.abs(np.abs(np.einsum("...ij,...ij->...j", axes, before)) - 1) < _TOLERANCE
        settled |= still.all(axis=-1)
    return axes


def _closest_axes(gradient: np.ndarray) -> np.ndarray:
    """Return the orthogonal D that minimises tr(gradient' D), nan where there is none."""
    left, _, right = for_each(np.linalg.svd, gradient)
    return -left @ right


def _majorise(scatter: np.ndarray, precision: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Take the two majorisation steps, one bounding W_k and one bounding A_k^-1."""
    largest = np.linalg.eigvalsh(scatter)[..., -1]
    columns = precision[..., None, :]
    pulled = scatter @ axes[..., None, :, :] - largest[..., None, None] * axes[..., None, :, :]
    axes = _closest_axes((pulled * columns).sum(axis=-3))
    lowered = columns - precision.max(axis=-1)[..., None, None]
    return _closest_axes((scatter @ axes[..., None, :, :] * lowered).sum(axis=-3))


def _rotate_pairs(scatter: np.ndarray, precision: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Rotate each pair of axes to the minimum over that pair's angle."""
    axes = axes.copy()
    rotated = np.swapaxes(axes, -1, -2)[..., None, :, :] @ scatter @ axes[..., None, :, :]
    n_features = axes.shape[-1]
    for i in range(n_features - 1):
        for j in range(i + 1, n_features):
            gap = precision[..., i] - precision[..., j]
            along = (gap * (rotated[..., i, i] - rotated[..., j, j])).sum(axis=-1) / 2
            across = (gap * rotated[..., i, j]).sum(axis=-1)
            # The criterion is along * cos(2 angle) + across * sin(2 angle) plus a constant.
            still = (along == 0) & (across == 0)
            angle = np.where(still, 0.0, np.arctan2(-across, -along) / 2)
            _turn(rotated, axes, i, j, np.cos(angle), np.sin(angle))
    return axes


def _turn(
    rotated: np.ndarray,
    axes: np.ndarray,
    i: int,
    j: int,
    cosine: np.ndarray,
    sine: np.ndarray,
) -> None:
    """Turn axes i and j in place, and the scatter seen along them."""
    c, s = cosine[..., None], sine[..., None]
    first, second = axes[..., i].copy(), axes[..., j].copy()
    axes[..., i], axes[..., j] = c * first + s * second, c * second - s * first
    c, s = c[..., None], s[..., None]
    first, second = rotated[..., i].copy(), rotated[..., j].copy()
    rotated[..., i], rotated[..., j] = c * first + s * second, c * second - s * first
    first, second = rotated[..., i, :].copy(), rotated[..., j, :].copy()
    rotated[..., i, :], rotated[..., j, :] = c * first + s * second, c * second - s * first
