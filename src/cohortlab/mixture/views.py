"""Frames behind the pictures of a mixture; nothing here draws."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from cohortlab.mixture.estimator import GaussianMixture


def directions(mixture: GaussianMixture, kind: str = "discriminant") -> np.ndarray:
    """Find the plane on which to look at a mixture.

    Parameters
    ----------
    mixture : GaussianMixture
        Fitted.
    kind : {"principal", "discriminant"}
        `principal`: largest variance of the mixture, after standardising the features;
        `discriminant`: components lie farthest apart for their spread.

    Returns
    -------
    ndarray of shape (n_features, 2)
        Directions as columns; a second one of zeros for one feature. The largest entry of each is
        positive.

    Notes
    -----
    Both follow from the parameters: within, W = sum p_k S_k, and between the means,
    B = sum p_k (m_k - m)(m_k - m)'. Principal directions are eigenvectors of W + B, discriminant
    ones of B relative to W.
    """
    weights, means = mixture.weights_, mixture.means_
    centred = means - weights @ means
    between = (weights[:, None] * centred).T @ centred
    within = np.einsum("k,kij->ij", weights, mixture.covariances_)
    scales = np.sqrt(np.diagonal(within + between))
    scales = np.where(scales > 0, scales, 1.0)
    between, within = (part / np.outer(scales, scales) for part in (between, within))
    if kind == "principal":
        found = np.linalg.eigh(within + between)[1][:, ::-1]
    elif kind == "discriminant":
        values, vectors = np.linalg.eigh(within)
        root = vectors / np.sqrt(np.maximum(values, 1e-12 * values.max()))
        found = root @ np.linalg.eigh(root.T @ between @ root)[1][:, ::-1]
    else:
        raise ValueError(f"kind={kind!r}; expected 'principal' or 'discriminant'.")
    plane = np.zeros((len(scales), 2))
    plane[:, : found.shape[1]] = (found / scales[:, None])[:, :2]
    largest = plane[np.abs(plane).argmax(axis=0), [0, 1]]
    return plane * np.where(largest < 0, -1.0, 1.0)


def project(X, mixture: GaussianMixture, kind: str = "discriminant") -> pd.DataFrame:
    """Lay rows out on the plane of a mixture, with their component and its uncertainty.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Rows.
    mixture : GaussianMixture
        Fitted.
    kind : {"principal", "discriminant"}
        As for `directions`.

    Returns
    -------
    DataFrame
        `first`, `second`, `component`, `uncertainty`, one row a sample.
    """
    plane = directions(mixture, kind)
    values = (np.asarray(X, dtype=np.float64) - mixture.weights_ @ mixture.means_) @ plane
    shares = mixture.predict_proba(X)
    return pd.DataFrame(
        {
            "first": values[:, 0],
            "second": values[:, 1],
            "component": shares.argmax(axis=1),
            "uncertainty": 1.0 - shares.max(axis=1),
        }
    )


def ellipses(
    mixture: GaussianMixture, kind: str = "discriminant", *, n_points: int = 64
) -> pd.DataFrame:
    """Trace an ellipse of one standard deviation for each component on the plane.

    Parameters
    ----------
    mixture : GaussianMixture
        Fitted.
    kind : {"principal", "discriminant"}
        As for `directions`.
    n_points : int
        Points an ellipse.

    Returns
    -------
    DataFrame
        `component`, `first`, `second`, the points in order.
    """
    plane = directions(mixture, kind)
    angles = np.linspace(0.0, 2.0 * np.pi, n_points)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    means = (mixture.means_ - mixture.weights_ @ mixture.means_) @ plane
    frames = []
    for component, (mean, covariance) in enumerate(zip(means, mixture.covariances_, strict=True)):
        values, vectors = np.linalg.eigh(plane.T @ covariance @ plane)
        traced = mean + circle * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
        frame = pd.DataFrame(traced, columns=["first", "second"])
        frame.insert(0, "component", component)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def bells(mixture: GaussianMixture, *, n_points: int = 400) -> pd.DataFrame:
    """Trace the density of each component of a mixture of one feature.

    Parameters
    ----------
    mixture : GaussianMixture
        Fitted to one feature.
    n_points : int
        Points a component, the same for all, from four standard deviations below the lowest mean
        to four above the highest.

    Returns
    -------
    DataFrame
        `component`, `value`, `density`; the densities of a component add up to its share.

    Raises
    ------
    ValueError
        If there are more features.
    """
    if mixture.n_features_in_ != 1:
        raise ValueError(
            f"{mixture.n_features_in_} features; expected one. Try `ellipses` for more."
        )
    means, deviations = mixture.means_[:, 0], np.sqrt(mixture.covariances_[:, 0, 0])
    ends = (means - 4.0 * deviations).min(), (means + 4.0 * deviations).max()
    value = np.linspace(*ends, n_points)
    frames = [
        pd.DataFrame({"component": k, "value": value, "density": share * norm.pdf(value, *bell)})
        for k, (share, bell) in enumerate(
            zip(mixture.weights_, zip(means, deviations, strict=True), strict=True)
        )
    ]
    return pd.concat(frames, ignore_index=True)
