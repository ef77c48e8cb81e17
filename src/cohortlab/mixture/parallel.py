"""Worker threads whose number never changes a result."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from os import cpu_count

from cohortlab.threads import one_thread

try:
    from os import sched_getaffinity
except ImportError:  # not every system can say which cores a process may use
    sched_getaffinity = None

OrderedMap = Callable[[Callable, Iterable], list]


def available_threads() -> int:
    """Count the cores this process may use.

    Returns
    -------
    int
        At least 1; what the scheduler allows, where the system tells.
    """
    return len(sched_getaffinity(0)) if sched_getaffinity else (cpu_count() or 1)


@contextmanager
def workers(n_threads: int | None = None) -> Iterator[OrderedMap]:
    """Give a `map` that runs on threads and keeps the order of its results.

    The matrix-product library is held to one thread meanwhile: the cores are shared out by rows,
    in pieces that depend on the data alone, so that sums are always taken in the same order.

    Parameters
    ----------
    n_threads : int, optional
        Number of threads; by default the number of cores.

    Yields
    ------
    callable
        `run(function, pieces) -> list`.
    """
    n_threads = n_threads or available_threads()
    with one_thread("blas"):
        if n_threads == 1:
            yield in_turn
            return
        with ThreadPoolExecutor(n_threads) as pool:
            yield lambda function, pieces: _ordered(pool, function, list(pieces))


def in_turn(function: Callable, pieces: Iterable) -> list:
    """Map without threads, where they are busy with something larger.

    Parameters
    ----------
    function : callable
        Of one piece.
    pieces : iterable
        What to call it with.

    Returns
    -------
    list
        Results in the order of the pieces.
    """
    return list(map(function, pieces))


def _ordered(pool: ThreadPoolExecutor, function: Callable, pieces: list) -> list:
    if len(pieces) < 2:
        return [function(piece) for piece in pieces]
    return list(pool.map(function, pieces))
