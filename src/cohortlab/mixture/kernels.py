"""One pass of EM over rows, compiled: products, responsibilities and their sums.

The whole pass is one call without Python in it, so threads do not wait for each other; matrix
products go to a library like NumPy's. `passes.PlainPass` is its twin in NumPy.
"""

import numpy as np

from cohortlab.compiled import compiled

_LN2 = float(np.log(2.0))
_LOG2_E = 1.0 / _LN2
_LOWEST_LOG = -700.0


# Sums may be taken in vector lanes; infinities and missing numbers keep their meaning.
_in_threads = compiled(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})


@_in_threads
def fill_products(values, start, stop, squares, crossed, room):
    """Fill `room` with 1, the features, and none, their squares or all of their products.

    Parameters
    ----------
    values : ndarray of shape (n_features, n_rows)
    start, stop : int
        Rows to take.
    squares, crossed : bool
        Whether squares, or all products, are wanted.
    room : ndarray of shape (n_products, at least stop - start)
        Filled in place.
    """
    n_features, n_rows = values.shape[0], stop - start
    room[0, :n_rows] = 1.0
    place = 1
    for i in range(n_features):
        room[place, :n_rows] = values[i, start:stop]
        place += 1
    for i in range(n_features):
        last = n_features if crossed else i + 1 if squares else i
        for j in range(i, last):
            for row in range(n_rows):
                room[place, row] = values[i, start + row] * values[j, start + row]
            place += 1


@_in_threads
def exponential(logs, power, scale):
    """Take exponentials in place, of logs of at most zero; none is below exp(-700).

    A polynomial times a power of two made of the exponent's bits: plain loops, which become vector
    instructions where calls of a mathematical library would not.

    Parameters
    ----------
    logs : ndarray of shape (n_rows,)
    power : ndarray of shape (at least n_rows,), int64
        Room to work in.
    scale : ndarray
        `power` seen as float64.
    """
    for row in range(len(logs)):
        log = max(logs[row], _LOWEST_LOG)
        whole = np.floor(log * _LOG2_E + 0.5)
        x = log - whole * _LN2
        # Taylor's series on |x| <= log(2) / 2 to the 13th power: the rest is below 1e-17.
        tail = 1 / 5040 + x * (
            1 / 40320
            + x
            * (
                1 / 362880
                + x * (1 / 3628800 + x * (1 / 39916800 + x * (1 / 479001600 + x / 6227020800)))
            )
        )
        head = 1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720 + x * tail)))
        logs[row] = 1.0 + x * (1.0 + x * (0.5 + x * head))
        power[row] = (np.int64(whole) + 1023) << 52
    for row in range(len(logs)):
        logs[row] *= scale[row]


@_in_threads
def share_out(logs, weights, top, total, power, scale):
    """Turn log-densities of one fit into weighted responsibilities, in place.

    Parameters
    ----------
    logs : ndarray of shape (n_components, n_rows)
        Log of weight times density; on return, responsibility times the row's weight.
    weights : ndarray of shape (n_rows,)
    top, total, power, scale : ndarray of shape (at least n_rows,)
        Room to work in.

    Returns
    -------
    float
        Weighted log-likelihood of the rows.
    """
    n_components, n_rows = logs.shape
    top[:n_rows] = logs[0]
    for component in range(1, n_components):
        for row in range(n_rows):
            top[row] = max(top[row], logs[component, row])
    total[:n_rows] = 0.0
    for component in range(n_components):
        one = logs[component]
        for row in range(n_rows):
            one[row] -= top[row]
        exponential(one, power, scale)
        for row in range(n_rows):
            total[row] += one[row]
    loglik = 0.0
    for row in range(n_rows):
        loglik += weights[row] * (top[row] + np.log(total[row]))
        total[row] = weights[row] / total[row]
    for component in range(n_components):
        for row in range(n_rows):
            logs[component, row] *= total[row]
    return loglik


@_in_threads
def run_rows(values, weights, matrix, n_fits, start, stop, size, squares, crossed):
    """Take one E-step over some rows and sum up the products, for several fits together.

    Parameters
    ----------
    values : ndarray of shape (n_features, n_rows)
        Centred rows.
    weights : ndarray of shape (n_rows,)
    matrix : ndarray of shape (n_fits * n_components, n_products)
        Coefficients of the log-densities.
    n_fits : int
        Number of fits.
    start, stop : int
        Rows to take.
    size : int
        Rows to take at a time.
    squares, crossed : bool
        Which products there are, see `fill_products`.

    Returns
    -------
    loglik : ndarray of shape (n_fits,)
    sums : ndarray of shape (n_fits * n_components, n_products)
        Responsibilities times products, summed over the rows.
    """
    n_all = len(matrix)
    n_components = n_all // n_fits
    loglik, sums = np.zeros(n_fits), np.zeros(matrix.shape)
    top, total, power = np.empty(size), np.empty(size), np.empty(size, dtype=np.int64)
    scale = power.view(np.float64)
    for low in range(start, stop, size):
        n = min(size, stop - low)
        room, logs = np.empty((matrix.shape[1], n)), np.empty((n_all, n))
        fill_products(values, low, low + n, squares, crossed, room)
        np.dot(matrix, room, logs)
        for fit in range(n_fits):
            own = logs[fit * n_components : (fit + 1) * n_components]
            loglik[fit] += share_out(own, weights[low : low + n], top, total, power, scale)
        sums += np.dot(logs, room.T)
    return loglik, sums
