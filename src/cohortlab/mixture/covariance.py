"""M-steps of the covariance models, for many fits at once.

Every function takes the effective sizes `counts` of shape (..., n_components) and the scatter about
the means, (..., n_components, n_features) for diagonal models and
(..., n_components, n_features, n_features) for the others; leading axes are independent fits.
Pooled models take the scatter summed over components and keep a component axis of length one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cohortlab.mixture.linear import for_each
from cohortlab.mixture.orientation import common_orientation

# Few rounds do: the next M-step goes on from where this one stopped, and none can lose likelihood.
_INNER_ITERATIONS = 4
_INNER_TOLERANCE = 1e-11


@dataclass(frozen=True)
class Carried:
    """What an iterative M-step hands to the next one to start from.

    Attributes
    ----------
    volume : ndarray of shape (..., n_components) or None
        Volumes of the components.
    orientation : ndarray of shape (..., n_features, n_features) or None
        Common eigenvectors, as columns.
    """

    volume: np.ndarray | None = None
    orientation: np.ndarray | None = None

    def take(self, keep: np.ndarray) -> "Carried":
        """Keep some of the fits.

        Parameters
        ----------
        keep : ndarray of shape (n_fits,), bool, or of int
            Which fits.

        Returns
        -------
        Carried
            Of those fits.
        """
        parts = (self.volume, self.orientation)
        return Carried(*(None if part is None else part[keep] for part in parts))


Estimate = tuple[np.ndarray, Carried]


def _total(counts: np.ndarray) -> np.ndarray:
    return counts.sum(axis=-1)


def _geometric_mean(values: np.ndarray) -> np.ndarray:
    """Average over features on the log scale, so that no product over- or underflows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.exp(np.log(values).mean(axis=-1))


def _unit_determinant(matrix: np.ndarray) -> np.ndarray:
    """Return det(matrix) ** (1 / n_features)."""
    sign, logdet = np.linalg.slogdet(matrix)
    with np.errstate(invalid="ignore"):
        return np.where(sign > 0, np.exp(logdet / matrix.shape[-1]), 0.0)


def _eigen(scatter: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues in falling order, none negative, and their vectors as columns."""
    values, vectors = for_each(np.linalg.eigh, scatter)
    return np.maximum(values[..., ::-1], 0.0), vectors[..., ::-1]


def _assemble(vectors: np.ndarray, values: np.ndarray) -> np.ndarray:
    return (vectors * values[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def _settle(step: Callable, volume: np.ndarray) -> np.ndarray:
    """Repeat an update of the volumes until none of them moves."""
    for _ in range(_INNER_ITERATIONS):
        updated = step(volume)
        moved = np.abs(updated - volume) > _INNER_TOLERANCE * np.abs(updated)
        volume = updated
        if not moved.any():
            break
    return volume


def _eii(counts: np.ndarray, scatter: np.ndarray, _: Carried) -> Estimate:
    variance = scatter.mean(axis=-1, keepdims=True) / _total(counts)[..., None, None]
    return np.broadcast_to(variance, scatter.shape).copy(), Carried()


def _vii(counts: np.ndarray, scatter: np.ndarray, _: Carried) -> Estimate:
    variance = scatter.mean(axis=-1, keepdims=True) / counts[..., None]
    return np.broadcast_to(variance, scatter.shape).copy(), Carried()


def _eei(counts: np.ndarray, scatter: np.ndarray, _: Carried) -> Estimate:
    return scatter / _total(counts)[..., None, None], Carried()


def _vei(counts: np.ndarray, scatter: np.ndarray, carried: Carried) -> Estimate:
    def shape_of(volume: np.ndarray) -> np.ndarray:
        pooled = (scatter / volume[..., None]).sum(axis=-2)
        return pooled / _geometric_mean(pooled)[..., None]

    def step(volume: np.ndarray) -> np.ndarray:
        return (scatter / shape_of(volume)[..., None, :]).mean(axis=-1) / counts

    first = carried.volume
    volume = _settle(step, scatter.mean(axis=-1) / counts if first is None else first)
    return volume[..., None] * shape_of(volume)[..., None, :], Carried(volume)


def _evi(counts: np.ndarray, scatter: np.ndarray, _: Carried) -> Estimate:
    size = _geometric_mean(scatter)
    volume = size.sum(axis=-1) / _total(counts)
    return scatter * (volume[..., None] / size)[..., None], Carried()


def _vvi(counts: np.ndarray, scatter: np.ndarray, _: Carried) -> Estimate:
    return scatter / counts[..., None], Carried()


def _eee(counts: np.ndarray, scatter: np.ndarray, _: Carried) -> Estimate:
    return scatter / _total(counts)[..., None, None, None], Carried()


def _vee(counts: np.ndarray, scatter: np.ndarray, carried: Carried) -> Estimate:
    n_features = scatter.shape[-1]

    def form_of(volume: np.ndarray) -> np.ndarray:
        pooled = (scatter / volume[..., None, None]).sum(axis=-3)
        return pooled / _unit_determinant(pooled)[..., None, None]

    def step(volume: np.ndarray) -> np.ndarray:
        (inverse,) = for_each(lambda form: (np.linalg.inv(form),), form_of(volume))
        return np.einsum("...kij,...ij->...k", scatter, inverse) / (n_features * counts)

    trace = np.trace(scatter, axis1=-2, axis2=-1) / (n_features * counts)
    volume = _settle(step, trace if carried.volume is None else carried.volume)
    return volume[..., None, None] * form_of(volume)[..., None, :, :], Carried(volume)


def _eve(counts: np.ndarray, scatter: np.ndarray, carried: Carried) -> Estimate:
    total = _total(counts)[..., None, None]

    def variances_of(spread: np.ndarray) -> np.ndarray:
        size = _geometric_mean(spread)
        return spread * (size.sum(axis=-1, keepdims=True)[..., None] / size[..., None]) / total

    return _common_axes(counts, scatter, variances_of, carried)


def _vve(counts: np.ndarray, scatter: np.ndarray, carried: Carried) -> Estimate:
    return _common_axes(counts, scatter, lambda spread: spread / counts[..., None], carried)


def _common_axes(
    counts: np.ndarray, scatter: np.ndarray, variances_of: Callable, carried: Carried
) -> Estimate:
    axes, variances = common_orientation(counts, scatter, variances_of, carried.orientation)
    return _assemble(axes[..., None, :, :], variances), Carried(None, axes)


def _eev(counts: np.ndarray, scatter: np.ndarray, _: Carried) -> Estimate:
    values, vectors = _eigen(scatter)
    shared = values.sum(axis=-2, keepdims=True) / _total(counts)[..., None, None]
    return _assemble(vectors, shared), Carried()


def _vev(counts: np.ndarray, scatter: np.ndarray, carried: Carried) -> Estimate:
    values, vectors = _eigen(scatter)
    variances, state = _vei(counts, values, carried)
    return _assemble(vectors, variances), state


def _evv(counts: np.ndarray, scatter: np.ndarray, _: Carried) -> Estimate:
    size = _unit_determinant(scatter)
    volume = size.sum(axis=-1) / _total(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        return scatter * (volume[..., None] / size)[..., None, None], Carried()


def _vvv(counts: np.ndarray, scatter: np.ndarray, _: Carried) -> Estimate:
    return scatter / counts[..., None, None], Carried()


_M_STEPS: dict[str, Callable[[np.ndarray, np.ndarray, Carried], Estimate]] = {
    "EII": _eii,
    "VII": _vii,
    "EEI": _eei,
    "VEI": _vei,
    "EVI": _evi,
    "VVI": _vvi,
    "EEE": _eee,
    "VEE": _vee,
    "EVE": _eve,
    "VVE": _vve,
    "EEV": _eev,
    "VEV": _vev,
    "EVV": _evv,
    "VVV": _vvv,
}


def estimate_covariances(
    name: str,
    counts: np.ndarray,
    scatter: np.ndarray,
    *,
    reg_covar: np.ndarray | float = 0.0,
    carried: Carried | None = None,
) -> Estimate:
    """Estimate the covariances of one model from sizes and scatter.

    Parameters
    ----------
    name : str
        Three-letter model name.
    counts : ndarray of shape (..., n_components)
        Effective sizes.
    scatter : ndarray
        Scatter about the means, in the layout of the model's family (see the module).
    reg_covar : float or ndarray of shape (...,)
        Added to every variance: the scatter of a component of size n gains n times as much on its
        diagonal. For VII, VVI, EEE and VVV that is scikit-learn's regularisation.
    carried : Carried, optional
        State of the previous M-step, from which an iterative one starts.

    Returns
    -------
    covariances : ndarray
        Same layout as `scatter`.
    carried : Carried
        State for the next M-step.

    References
    ----------
    Celeux and Govaert (1995), Gaussian parsimonious clustering models, Section 4.
    Browne and McNicholas (2014), Estimating common principal components in high dimensions.
    """
    sizes = _total(counts)[..., None] if scatter.shape[len(counts.shape) - 1] == 1 else counts
    extra = np.asarray(reg_covar, dtype=float)[..., None] * sizes
    if scatter.ndim == counts.ndim + 1:
        scatter = scatter + extra[..., None]
    else:
        scatter = scatter + extra[..., None, None] * np.eye(scatter.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _M_STEPS[name](counts, scatter, carried or Carried())
