"""How loops are compiled."""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(**settings: Any) -> Callable[[Callable], Callable]:
    """Compile a function at its first call, and keep the machine code where that is allowed.

    Parameters
    ----------
    **settings
        What `numba.njit` takes, beside `cache`.

    Returns
    -------
    callable
        A decorator; the plain function is the `py_func` of what it gives.

    Notes
    -----
    The code is kept beside the module, else in the user's cache folder, else in the folder that
    the variable `NUMBA_CACHE_DIR` names. Where none of them can be written, it is compiled anew in
    every process, which changes nothing but the time of the first call.
    """

    def decorate(function: Callable) -> Callable:
        try:
            return njit(cache=True, **settings)(function)
        except RuntimeError:
            return njit(**settings)(function)

    return decorate
