"""How unevenly money is spread over customers."""

import numpy as np


def lorenz_curve(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the share of the total that the lowest share of customers holds.

    Parameters
    ----------
    values : array of shape (n_customers,)
        At least one, none below 0.

    Returns
    -------
    customers, total : ndarray of shape (n_customers + 1,)
        Cumulative shares from 0 to 1. Where the total is 0 all hold alike.

    Raises
    ------
    ValueError
        If there is no value, or one is below 0 or missing.

    References
    ----------
    Lorenz (1905), Methods of measuring the concentration of wealth.

    Examples
    --------
    >>> customers, total = lorenz_curve([1, 3])
    >>> customers.tolist(), total.tolist()
    ([0.0, 0.5, 1.0], [0.0, 0.25, 1.0])
    """
    values = np.sort(np.asarray(values, dtype=float))
    if not len(values) or not (values >= 0).all():
        raise ValueError("expected at least one value, each of at least 0: drop missing ones")
    customers = np.arange(len(values) + 1) / len(values)
    total = np.concatenate([[0.0], values.cumsum()])
    return customers, total / total[-1] if total[-1] > 0 else customers


def gini(values: np.ndarray) -> float:
    """Give Gini's coefficient: twice the area between the Lorenz curve and equality.

    Parameters
    ----------
    values : array of shape (n_customers,)
        At least one, none below 0.

    Returns
    -------
    float
        0 where all hold alike, towards 1 where one holds all; (n - 1) / n at most.

    References
    ----------
    Gini (1914), Sulla misura della concentrazione e della variabilita dei caratteri.

    Examples
    --------
    >>> gini([0, 0, 0, 8])
    0.75
    """
    customers, total = lorenz_curve(values)
    return float(1 - np.diff(customers) @ (total[1:] + total[:-1]))
