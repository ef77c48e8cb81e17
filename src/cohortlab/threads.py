"""Libraries held to one thread, so that sums are always taken in the same order."""

import sys
from contextlib import AbstractContextManager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


def one_thread(user_api: str | None = None) -> AbstractContextManager:
    """Hold matrix products and parallel loops to one thread.

    Parameters
    ----------
    user_api : {'blas', 'openmp'}, optional
        Only this kind of library; by default all.

    Returns
    -------
    context manager
        The libraries take one thread from the call on, and as many as before after a ``with``
        block of it; without such a block, for good.

    Examples
    --------
    >>> with one_thread():
    ...     round(1.5)
    2
    """
    return _controller(len(sys.modules)).limit(limits=1, user_api=user_api)


@lru_cache(maxsize=1)
def _controller(n_modules: int) -> ThreadpoolController:
    # To look up the loaded libraries takes ten milliseconds, so it is done again only where modules
    # were imported since, which may have brought another library.
    return ThreadpoolController()
