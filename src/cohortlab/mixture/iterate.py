"""The loop of expectation and maximisation, over many starts together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cohortlab.mixture.acceleration import extrapolate, pack, unpack
from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.density import Parameters, whiten
from cohortlab.mixture.em import Moments, expect, expect_apart, maximise
from cohortlab.mixture.models import Family
from cohortlab.mixture.parallel import OrderedMap

_ROUNDING = 1e-14

EMPTY = "a component lost all its rows"
SINGULAR = "a covariance became singular"


@dataclass(frozen=True)
class Settings:
    """When to stop, and how much to regularise.

    Attributes
    ----------
    reg_covar : float
        Added to every variance.
    tol : float
        Stop once the log-likelihood per unit of weight is estimated to be within this of its limit.
    max_iter : int
        Most M-steps, not counting those that were tried and refused.
    accelerate : bool
        Extrapolate between steps of EM.
    """

    reg_covar: float = 1e-6
    tol: float = 1e-6
    max_iter: int = 1000
    accelerate: bool = True


@dataclass(frozen=True)
class Run:
    """One run of EM.

    Attributes
    ----------
    parameters : Parameters
        One fit, the last parameters whose log-likelihood was computed.
    loglik : float
        Total weighted log-likelihood; -inf where the run failed.
    path : tuple of float
        Log-likelihood after each step that was kept.
    converged : bool
        Whether the stopping rule was met.
    failure : str
        Why the run failed, or empty.
    """

    parameters: Parameters
    loglik: float
    path: tuple[float, ...]
    converged: bool
    failure: str = ""

    @property
    def n_iter(self) -> int:
        """Number of M-steps taken."""
        return max(len(self.path) - 1, 0)


def has_converged(path: list[float], tol: float) -> bool:
    """Judge from the log-likelihoods so far whether the limit is near.

    Parameters
    ----------
    path : list of float
        Log-likelihoods, oldest first.
    tol : float
        Largest distance to the estimated limit, in the units of the log-likelihood.

    Returns
    -------
    bool
        True when both the last gain and the gain still to come are at most `tol`.

    Notes
    -----
    With gains g1, g2 and ratio a = g2 / g1, EM's linear convergence leaves a g2 / (1 - a) to gain
    (Aitken's extrapolation).

    References
    ----------
    Böhning et al. (1994), The distribution of the likelihood ratio for mixtures of densities from
    the one-parameter exponential family, Section 2.

    Examples
    --------
    >>> has_converged([-10.0, -2.0, -1.0, -0.9], tol=0.2)
    True
    """
    if len(path) < 2:
        return False
    gain = path[-1] - path[-2]
    if abs(gain) <= _ROUNDING * abs(path[-1]):
        return True
    if len(path) < 3 or abs(gain) > tol:
        return False
    before = path[-2] - path[-3]
    ratio = gain / before if before else 0.0
    if ratio <= 0:
        return True
    return ratio < 1 and abs(gain) * ratio / (1 - ratio) <= tol


def run_em(
    rows: Rows | Sequence[Rows],
    starts: Parameters,
    family: Family,
    run: OrderedMap,
    settings: Settings,
    *,
    owner: np.ndarray | None = None,
    reg_covar: np.ndarray | None = None,
) -> list[Run]:
    """Run EM from several starts together until each has converged.

    Parameters
    ----------
    rows : Rows or sequence of Rows
        Distinct weighted rows: one table for all starts, or several.
    starts : Parameters
        Where to start.
    family : Family
        Covariance family.
    run : callable
        Ordered map from `workers`.
    settings : Settings
        Stopping rule and regularisation.
    owner : ndarray of shape (n_fits,), optional
        The table of each start, in rising order, where there are several.
    reg_covar : ndarray of shape (n_fits,), optional
        Regularisation of each fit, in place of the one in `settings`.

    Returns
    -------
    list of Run
        One a start, in their order.
    """
    tables = [rows] if isinstance(rows, Rows) else rows
    owner = np.zeros(len(starts.weights), dtype=int) if owner is None else owner
    batch = _Batch(tables, owner, starts, family, settings, reg_covar)
    while batch.active.size:
        batch.advance(run)
    return batch.results()


class _Batch:
    """Starts that are still running, and what became of the others.

    Each start goes round three phases: two plain steps of EM (0 and 1), then an extrapolation (2),
    which is kept if it raised the log-likelihood and forgotten if it did not.
    """

    def __init__(
        self,
        tables: Sequence[Rows],
        owner: np.ndarray,
        starts: Parameters,
        family: Family,
        settings: Settings,
        reg_covar: np.ndarray | None,
    ):
        n_fits = len(starts.weights)
        self.tables, self.owner, self.family, self.settings = tables, owner, family, settings
        self.current, self.active = starts, np.arange(n_fits)
        self.reg_covar = np.full(n_fits, settings.reg_covar) if reg_covar is None else reg_covar
        self.scales = np.array([rows.scales() for rows in tables])[owner]
        self.size = np.array([rows.total_weight for rows in tables])[owner]
        self.pooled = None
        if family.pooled:
            self.pooled = np.array([rows.scatter(diagonal=family.diagonal) for rows in tables])
        self.paths: list[list[float]] = [[] for _ in range(n_fits)]
        self.done: dict[int, Run] = {}
        self.phase = np.full(n_fits, 2)
        self.older = self.newer = np.empty((n_fits, 0))

    def advance(self, run: OrderedMap) -> None:
        """Take one E-step, settle what has converged or failed, and one M-step for the rest."""
        moments, valid = self._expect(run)
        good = valid & np.isfinite(moments.loglik)
        refused = self._refused(moments.loglik, good)
        self._fail(~good & ~refused, SINGULAR)
        going = good | refused
        for place in np.flatnonzero(good & ~refused):
            going[place] = not self._record(int(place), float(moments.loglik[place]))
        self._step(moments, refused, going)

    def _expect(self, run: OrderedMap) -> tuple[Moments, np.ndarray]:
        given = self.current, self.family, run
        if len(self.tables) == 1:
            return expect(self.tables[0], *given, pooled_scatter=self.pooled)
        owner = self.owner[self.active]
        pooled = self.pooled[owner] if self.family.pooled else None
        return expect_apart(self.tables, owner, *given, pooled_scatter=pooled)

    def _step(self, moments: Moments, refused: np.ndarray, going: np.ndarray) -> None:
        """Take the M-step of the starts that go on."""
        keep = np.flatnonzero(going)
        moments, refused = moments.take(keep), refused[keep]
        self.active, self.current = self.active[keep], self.current.take(keep)
        self.phase, self.older, self.newer = self.phase[keep], self.older[keep], self.newer[keep]
        if not keep.size:
            return
        if self.settings.accelerate:
            moments = self._direct(moments, refused)
        reg_covar = self.reg_covar[self.active]
        carried = self.current.carried
        updated, alive = maximise(moments, self.family, reg_covar=reg_covar, carried=carried)
        self._fail(~alive, EMPTY)
        keep = np.flatnonzero(alive)
        self.active, self.current = self.active[keep], updated.take(keep)
        self.phase, self.older, self.newer = self.phase[keep], self.older[keep], self.newer[keep]

    def _refused(self, loglik: np.ndarray, good: np.ndarray) -> np.ndarray:
        """Say which extrapolations did not raise the log-likelihood."""
        last = [self.paths[fit][-1] if self.paths[fit] else np.nan for fit in self.active]
        tried = (self.phase == 2) & np.isfinite(last) & self.settings.accelerate
        return tried & ~(good & (loglik >= np.array(last)))

    def _direct(self, moments: Moments, refused: np.ndarray) -> Moments:
        """Choose what each M-step sees: the new moments, the last good ones, or a leap ahead."""
        size = self.size[self.active]
        scales = self.scales[self.active]
        now = pack(moments, size, scales)
        if not self.older.size:
            self.older = self.newer = now
        settled = np.where(refused[:, None], self.newer, now)
        ahead, sane = self._leap(moments, now)
        phase = self.phase[:, None]
        fell_back = (phase == 1) & ~sane[:, None]
        self.older = np.where((phase == 2) | fell_back, settled, self.older)
        self.newer = np.where(phase == 2, self.newer, now)
        self.phase = np.where(self.phase == 0, 1, np.where(sane, 2, 0))
        return unpack(np.where(sane[:, None], ahead, settled), moments, size, scales)

    def _leap(self, moments: Moments, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Extrapolate the starts whose turn it is; say where that gave the moments of a mixture."""
        ahead, sane = now.copy(), np.zeros(len(now), dtype=bool)
        due = np.flatnonzero(self.phase == 1)
        if due.size:
            size, scales = self.size[self.active[due]], self.scales[self.active[due]]
            vectors = extrapolate(self.older[due], self.newer[due], now[due])
            leap = unpack(vectors, moments.take(due), size, scales)
            ahead[due], sane[due] = pack(leap, size, scales), self._sane(leap)
        return ahead, sane

    def _sane(self, moments: Moments) -> np.ndarray:
        """Say which moments are those of some mixture."""
        positive = (moments.counts > 0).all(axis=1)
        return positive & whiten(moments.scatter, self.family).valid

    def _record(self, place: int, loglik: float) -> bool:
        """Note a log-likelihood; say whether the start is finished."""
        fit = int(self.active[place])
        path = self.paths[fit]
        path.append(loglik)
        plain = not self.settings.accelerate or self.phase[place] == 1
        limit = self.settings.tol * float(self.size[fit])
        converged = plain and has_converged(path, limit)
        if converged or len(path) > self.settings.max_iter:
            parameters = self.current.take(np.array([place]))
            self.done[fit] = Run(parameters, loglik, tuple(path), bool(converged))
        return fit in self.done

    def _fail(self, failed: np.ndarray, reason: str) -> None:
        for place in np.flatnonzero(failed):
            fit = int(self.active[place])
            parameters = self.current.take(np.array([place]))
            self.done[fit] = Run(parameters, -np.inf, tuple(self.paths[fit]), False, reason)

    def results(self) -> list[Run]:
        """Return the runs in the order of their starts."""
        return [self.done[fit] for fit in sorted(self.done)]
