"""Frames behind the pictures of a mixture; nothing here draws."""

import numpy as np
import pandas as pd

from cohortlab.mixture.estimator import GaussianMixture


def criterion_lines(table: pd.DataFrame, criterion: str = "bic") -> pd.DataFrame:
    """Give the points of a criterion line for each model.

    Parameters
    ----------
    table : DataFrame
        `Search.table`.
    criterion : {"bic", "icl", "aic"}
        What to show.

    Returns
    -------
    DataFrame
        `model`, `n_components`, `value` (raw), `sound_value`, `vetoed`, `chosen`; cells without a
        fit are left out.
    """
    fitted = table[table[criterion].notna()]
    lines = fitted[["model", "n_components"]].copy()
    lines["value"] = fitted[criterion]
    lines["sound_value"] = fitted[f"sound_{criterion}"]
    lines["vetoed"] = fitted["verdict"] != "ok"
    lowest = lines["sound_value"].min()
    lines["chosen"] = lines["sound_value"] == lowest if lowest == lowest else False
    return lines.sort_values(["model", "n_components"], ignore_index=True)


def criterion_grid(
    table: pd.DataFrame, criterion: str = "bic"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give a criterion as a grid for a heat map, and which of its cells are vetoed.

    Parameters
    ----------
    table : DataFrame
        `Search.table`.
    criterion : {"bic", "icl", "aic"}
        What to show.

    Returns
    -------
    values, vetoed : DataFrame
        Models by numbers of components, models in the order of the search.
    """
    models = list(dict.fromkeys(table["model"]))
    by = {"index": "model", "columns": "n_components"}
    values = table.pivot(values=criterion, **by).loc[models]
    marked = table.assign(vetoed=table["verdict"].ne("ok"))
    return values, marked.pivot(values="vetoed", **by).loc[models]


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
