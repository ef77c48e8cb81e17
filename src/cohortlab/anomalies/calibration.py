"""What a score is worth: the share of flows that are at least as strange, and a word for it."""

from collections.abc import Mapping

import numpy as np


def tail_shares(scores: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Give for each score the share of the training flows that are at least as strange.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        Scores by a trained detector.
    training : ndarray of shape (n_training,)
        Scores of the flows it was trained on, by the same detector.

    Returns
    -------
    ndarray of shape (n_rows,)
        In (0, 1]: one is added above and below, so that nothing is ever impossible.

    Notes
    -----
    For flows of the same kind as those of the training, a share of at most ``a`` comes with
    probability ``a`` at most, whatever the detector: it is a conformal p-value. Attacks among the
    training flows make the shares of others larger, and the verdict milder.

    References
    ----------
    Bates, Candes, Lei, Romano and Sesia (2023), Testing for outliers with conformal p-values,
    equation 2.

    Examples
    --------
    >>> tail_shares(np.array([5.0, 1.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [0.25, 1.0]
    """
    ordered = np.sort(training)
    at_least = len(ordered) - np.searchsorted(ordered, scores, side="left")
    return (1 + at_least) / (1 + len(ordered))


def threshold_for(training: np.ndarray, expected_share: float) -> float:
    """Find the score above which no more flows lie than are expected to be strange.

    Parameters
    ----------
    training : ndarray of shape (n_training,)
        Scores of the training flows.
    expected_share : float
        Share of flows that are expected to be strange, in (0, 1).

    Returns
    -------
    float
        Flows above it have a tail share of at most `expected_share`. Where many flows have one
        score, they are all above it or none.
    """
    n_above = int(np.floor(expected_share * (1 + len(training)))) - 1
    descending = np.sort(training)[::-1]
    return float(descending[min(max(n_above, 0), len(descending) - 1)])


def severities(shares: np.ndarray, levels: Mapping[str, float]) -> np.ndarray:
    """Put words to tail shares.

    Parameters
    ----------
    shares : ndarray of shape (n_rows,)
        From `tail_shares`.
    levels : mapping of str to float
        The largest share of each word, the strictest first.

    Returns
    -------
    ndarray of str, shape (n_rows,)
        The strictest word that holds; ``low`` where none does.

    Raises
    ------
    ValueError
        If the shares do not rise.

    Examples
    --------
    >>> severities(np.array([0.001, 0.5]), {"critical": 0.001, "high": 0.01}).tolist()
    ['critical', 'low']
    """
    limits = list(levels.values())
    if sorted(limits) != limits:
        raise ValueError(f"levels should have rising shares, but are {dict(levels)}")
    words = np.array([*levels, "low"])
    return words[np.searchsorted(limits, shares, side="left")]
