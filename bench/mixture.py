"""Compare cohortlab's mixtures with scikit-learn's and mclust's, on the same rows and cores.

    python bench/mixture.py                  every part, full size (long: scikit-learn is in it)
    python bench/mixture.py iteration growth chosen parts
    python bench/mixture.py --rows 100000    a smaller table of sessions

Prints JSON. Times are medians of wall-clock seconds; both sides may use all cores.
"""

import argparse
import json
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture as Peer
from threadpoolctl import threadpool_limits

from cohortlab.mixture import GaussianMixture, search
from cohortlab.mixture.collapse import collapse_rows
from cohortlab.mixture.em import expect, maximise, n_products
from cohortlab.mixture.initial import partition, start_from_labels
from cohortlab.mixture.models import MODEL_NAMES, resolve_model
from cohortlab.mixture.parallel import available_threads, workers

SESSIONS = 1_722_864
TYPES = {"spherical": "VII", "diag": "VVI", "tied": "EEE", "full": "VVV"}


def session_features(n_rows: int, seed: int = 0) -> np.ndarray:
    """Draw 12 features of browsing sessions, of which three quarters have one event.

    Columns: log1p of events, views, carts, purchases, distinct items, distinct categories,
    duration, mean gap and longest gap (milliseconds); hour of day; weekend; share of repeats.
    """
    rng = np.random.default_rng(seed)
    single = rng.random(n_rows) < 0.75
    events = np.where(single, 1, 2 + rng.geometric(0.35, n_rows) - 1)
    carts = np.where(rng.random(n_rows) < np.where(single, 0.01, 0.12), 1 + rng.binomial(2, 0.2), 0)
    carts = np.minimum(carts, events)
    purchases = np.where(rng.random(n_rows) < 0.25, np.minimum(carts, events - carts), 0)
    views = np.maximum(events - carts - purchases, 0)
    items = 1 + rng.binomial(events - 1, 0.7)
    categories = 1 + rng.binomial(items - 1, 0.5)
    gap = np.where(single, 0.0, rng.lognormal(10.8, 1.3, n_rows))
    duration = gap * (events - 1)
    longest = np.minimum(duration, gap * (1 + rng.exponential(0.5, n_rows) * (events > 2)))
    hour = rng.choice(24, n_rows, p=_hours())
    weekend = rng.random(n_rows) < 0.27
    repeated = (events - items) / events
    counts = (events, views, carts, purchases, items, categories, np.rint(duration), gap, longest)
    columns = [np.log1p(column) for column in counts]
    return np.column_stack([*columns, hour, weekend, repeated]).astype(np.float64)


def _hours() -> np.ndarray:
    share = 1.2 + np.sin((np.arange(24) - 10) / 24 * 2 * np.pi)
    return share / share.sum()


def continuous_features(n_rows: int, n_features: int = 12, seed: int = 1) -> np.ndarray:
    """Draw from seven overlapping Gaussians, so that no row repeats."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 3, (7, n_features))
    mix = rng.normal(0, 1, (7, n_features, n_features)) / np.sqrt(n_features)
    labels = rng.integers(7, size=n_rows)
    rows = rng.standard_normal((n_rows, n_features))
    for label in range(7):
        own = labels == label
        rows[own] = rows[own] @ mix[label] + 0.5 * rows[own] + centres[label]
    return rows


def median_time(action, repeats: int) -> float:
    """Time an action several times, after one time that does not count."""
    action()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return float(np.median(times))


def product_speed() -> float:
    """Measure double-precision matrix products on all cores, in GFlop/s."""
    size = 2048
    left = np.random.default_rng(0).random((size, size))
    return 2 * size**3 / median_time(lambda: left @ left, 5) / 1e9


def one_iteration(X: np.ndarray, n_components: int, model: str = "VVV", repeats: int = 5) -> dict:
    """Time one E-step and M-step after collapsing; the collapse is timed apart."""
    begun = time.perf_counter()
    rows = collapse_rows(X)
    collapse = time.perf_counter() - begun
    family = resolve_model(model, X.shape[1])
    sample, labels = partition(rows, n_components, "kmeans++", np.random.default_rng(0))
    start = start_from_labels(sample, labels, n_components, family, 1e-6)
    with workers() as run:

        def step() -> None:
            maximise(expect(rows, start, family, run)[0], family, reg_covar=1e-6)

        seconds = median_time(step, repeats)
    operations = 4.0 * rows.n_distinct * n_products(family, X.shape[1]) * n_components
    return {
        "seconds": seconds,
        "collapse_seconds": collapse,
        "distinct_rows": rows.n_distinct,
        "gflops": operations / seconds / 1e9,
    }


def peer_iteration(X: np.ndarray, n_components: int, kind: str = "full", repeats: int = 2) -> float:
    """Time one E-step and M-step of scikit-learn from a fitted state."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(n_components), len(X))
    peer = Peer(n_components, covariance_type=kind)
    peer._initialize(X, shares)

    def step() -> None:
        _, log_shares = peer._e_step(X)
        peer._m_step(X, log_shares)

    return median_time(step, repeats)


def bench_iteration(n_rows: int) -> dict:
    """Compare one iteration, full covariance, seven components, 12 features."""
    result = {"rows": n_rows, "components": 7, "product_gflops": product_speed()}
    makers = {"sessions": session_features, "continuous": continuous_features}
    for name, maker in makers.items():
        X = maker(n_rows)
        ours, theirs = one_iteration(X, 7), peer_iteration(X, 7)
        ours["share_of_product_speed"] = ours["gflops"] / result["product_gflops"]
        ratio = theirs / ours["seconds"]
        result[name] = {"ours": ours, "scikit_learn_seconds": theirs, "ratio": ratio}
    return result


def bench_search(n_rows: int, sizes: range = range(2, 11), n_init: int = 10) -> dict:
    """Compare the whole search: four types, all sizes, ten starts, BIC cell by cell."""
    X = session_features(n_rows)
    begun = time.perf_counter()
    found = search(X, sizes, list(TYPES.values()), n_init=n_init, n_bootstrap=0)
    ours = time.perf_counter() - begun
    bic = found.table.set_index(["model", "n_components"])["bic"]
    theirs, worse, cells = 0.0, [], {}
    for kind, model in TYPES.items():
        for size in sizes:
            begun = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                peer = Peer(size, covariance_type=kind, n_init=n_init, random_state=0).fit(X)
            theirs += time.perf_counter() - begun
            other = peer.bic(X)
            excess = (bic[model, size] - other) / abs(other)
            cells[f"{model},{size}"] = [float(bic[model, size]), float(other)]
            if excess > 1e-4:
                worse.append([model, size, float(excess)])
            print(model, size, round(excess, 6), round(theirs), file=sys.stderr, flush=True)
    return {
        "rows": n_rows,
        "seconds": ours,
        "scikit_learn_seconds": theirs,
        "ratio": theirs / ours,
        "cells_worse": worse,
        "bic_ours_and_theirs": cells,
    }


def bench_full(n_rows: int) -> dict:
    """Time the whole search on all rows and its peak of memory; scikit-learn is left out."""
    X = session_features(n_rows)
    begun = time.perf_counter()
    found = search(X, range(2, 11), list(TYPES.values()), n_bootstrap=0)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "rows": n_rows,
        "seconds": seconds,
        "peak_gib": peak,
        "cells_with_fit": int(found.table["bic"].notna().sum()),
        "verdict": found.certificate["verdict"],
    }


def bench_growth() -> dict:
    """Fit exponents of one iteration's time to numbers of rows, features and components."""
    rows = [50_000, 100_000, 200_000, 400_000]
    features, components = [6, 12, 24, 48], [4, 8, 16, 32]
    by_rows = [one_iteration(continuous_features(n), 7)["seconds"] for n in rows]
    by_features = [one_iteration(continuous_features(50_000, d), 7)["seconds"] for d in features]
    X = continuous_features(50_000)
    by_components = [one_iteration(X, k)["seconds"] for k in components]
    return {
        "n": _exponent(rows, by_rows),
        "d": _exponent(features, by_features),
        "k": _exponent(components, by_components),
    }


def _exponent(sizes: list[int], seconds: list[float]) -> dict:
    slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    return {"sizes": sizes, "seconds": seconds, "exponent": float(slope)}


MCLUST = """
suppressMessages(library(mclust)); arguments <- commandArgs(TRUE)
X <- as.matrix(read.csv(arguments[1])); begun <- proc.time()[3]
found <- mclustBIC(X, G = 1:9, verbose = FALSE); seconds <- proc.time()[3] - begun
cat(seconds, "\\n"); write.csv(unclass(found)[1:9, ], arguments[2])
"""


def bench_models(n_rows: int) -> dict:
    """Run all fourteen models with one to nine components, and mclust where R has it."""
    X = session_features(n_rows)
    begun = time.perf_counter()
    found = search(X, range(1, 10), MODEL_NAMES, n_bootstrap=0)
    result = {
        "rows": n_rows,
        "seconds": time.perf_counter() - begun,
        "cells": len(found.table),
        "cells_with_fit": int(found.table["bic"].notna().sum()),
        "cells_with_a_reason": int(
            (found.table["bic"].isna() & (found.table["verdict"] != "")).sum()
        ),
        "cells_sound": int((found.table["verdict"] == "ok").sum()),
    }
    return {**result, "mclust": _run_mclust(X, found.table)}


def _run_mclust(X: np.ndarray, table) -> dict | str:
    if shutil.which("Rscript") is None:
        return "not run: no Rscript on this machine"
    with tempfile.TemporaryDirectory() as folder:
        script, data, out = (Path(folder) / name for name in ("run.R", "X.csv", "bic.csv"))
        script.write_text(MCLUST)
        np.savetxt(
            data, X, delimiter=",", header=",".join(map(str, range(X.shape[1]))), comments=""
        )
        done = subprocess.run(
            ["Rscript", script, data, out], capture_output=True, text=True, check=False
        )
        if done.returncode:
            return f"not run: {done.stderr.strip()[-200:]}"
        theirs = np.genfromtxt(out, delimiter=",", skip_header=1)[:, 1:]
    ours = table.pivot(index="n_components", columns="model", values="bic")[list(MODEL_NAMES)]
    gap = ours.to_numpy() + theirs
    return {
        "seconds": float(done.stdout.split()[0]),
        "cells_without_fit": int(np.isnan(theirs).sum()),
        "cells_worse_than_mclust": int((gap > 1e-4 * np.abs(theirs)).sum()),
    }


def bench_fit() -> dict:
    """Compare a fit of continuous rows from the same starts to the same optimum."""
    X = continuous_features(100_000)
    begun = time.perf_counter()
    ours = GaussianMixture(7, n_init=1, random_state=0).fit(X)
    seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    peer = Peer(7, n_init=1, random_state=0, tol=1e-6, max_iter=500).fit(X)
    theirs = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "scikit_learn_seconds": theirs,
        "ratio": theirs / seconds,
        "loglik_per_row": [ours.score(X), peer.score(X)],
    }


PARTS = {
    "iteration": lambda rows: bench_iteration(rows),
    "growth": lambda rows: bench_growth(),
    "fit": lambda rows: bench_fit(),
    "search": lambda rows: bench_search(min(rows, 100_000)),
    "full": lambda rows: bench_full(rows),
    "models": lambda rows: bench_models(min(rows, 20_000)),
}


def main() -> None:
    """Run the chosen parts and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), choices=[*PARTS, []])
    parser.add_argument("--rows", type=int, default=SESSIONS)
    arguments = parser.parse_args()
    figures = {
        "machine": {"processor": platform.machine(), "cores": available_threads()},
        "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    }
    with threadpool_limits(available_threads()):
        for part in arguments.parts:
            figures[part] = PARTS[part](arguments.rows)
            print(f"{part} done", file=sys.stderr, flush=True)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
