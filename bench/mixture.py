"""
Compare cohortlab's mixtures with scikit-learn's and mclust's, on the same rows and cores.

    python bench/mixture.py                  every part, full size (long: scikit-learn is in it)
    python bench/mixture.py iteration growth chosen parts
    python bench/mixture.py --rows 100000    a smaller table of sessions
    python bench/mixture.py search --peer-cells cells.jsonl
                                             keep scikit-learn's cells, and use those already there

Session features are those of the pipeline: the project's generator with the settings of
params.yaml, read, sessionised and scaled by log1p_standard. Prints JSON. Both sides may use all
cores; beside the wall clock stands the processor's time, summed over cores, which other work on
the machine hardly changes.
"""

import argparse
import functools
import hashlib
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
import pandas as pd
import sklearn
from ruamel.yaml import YAML
from sklearn.mixture import GaussianMixture as Peer
from threadpoolctl import threadpool_limits

from cohortlab.features.events import session_features as features_of
from cohortlab.mixture import GaussianMixture, search
from cohortlab.mixture.collapse import collapse_rows
from cohortlab.mixture.em import expect, maximise
from cohortlab.mixture.initial import draw_samples, partition, start_from_labels
from cohortlab.mixture.models import MODEL_NAMES, resolve_model
from cohortlab.mixture.parallel import available_threads, workers
from cohortlab.mixture.passes import n_products
from cohortlab.scaling import Scaling
from cohortlab.sources import read_events
from cohortlab.synthetic import generate_event_log

SESSIONS = 1_722_864
SESSIONS_PER_VISITOR = 2.3  # a little fewer than the settings lead to
TYPES = {"spherical": "VII", "diag": "VVI", "tied": "EEE", "full": "VVV"}
SETTINGS = Path(__file__).resolve().parents[1] / "params.yaml"


def write_sessions(target: Path, n_rows: int, seed: int = 0) -> None:
    """Generate a log of at least so many sessions and write the features of its sessions."""
    block = YAML(typ="safe").load(SETTINGS)["studies"]["sessions"]
    settings = {
        **block["data"]["synthetic"],
        "n_visitors": int(n_rows / SESSIONS_PER_VISITOR) + 200,
    }
    with tempfile.TemporaryDirectory() as name:
        raw = Path(name) / "raw"
        generate_event_log(raw, Path(name) / "truth", rng=np.random.default_rng(seed), **settings)
        path = {
            "events": str(raw / "events.csv"),
            "item_properties": str(raw / "item_properties*.csv"),
            "category_tree": str(raw / "category_tree.csv"),
        }
        log = read_events(path, cleaning=block["data"]["cleaning"], scratch=Path(name))
        gap_sec = block["features"]["gap_sec"]
        tables = log.tables["events"], log.tables["item_properties"]
        features = features_of(*tables, gap_sec=gap_sec).to_pandas()
    if len(features) < n_rows:
        raise ValueError(f"{len(features)} sessions were generated, {n_rows} asked for")
    features.drop(columns="session_id").to_parquet(target)


@functools.cache
def _session_table(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path)


def session_features(path: Path, n_rows: int) -> np.ndarray:
    """Take the first sessions, scaled as the pipeline scales them."""
    return Scaling("log1p_standard").fit_transform(_session_table(path)[:n_rows])


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


class Clock:
    """Measure wall and processor time of a block, in seconds."""

    def __enter__(self) -> "Clock":
        self._begun = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._begun[0]
        self.processor_seconds = time.process_time() - self._begun[1]

    def figures(self) -> dict:
        """Give both times by name."""
        return {"seconds": self.seconds, "processor_seconds": self.processor_seconds}


def median_time(action, repeats: int) -> dict:
    """Time an action several times, after one time that does not count."""
    action()
    clocks = []
    for _ in range(repeats):
        with Clock() as clock:
            action()
        clocks.append(clock.figures())
    return pd.DataFrame(clocks).median().to_dict()


def beside(ours: dict, theirs: dict) -> dict:
    """Put two sides together with the ratios of their times."""
    return {
        "ours": ours,
        "scikit_learn": theirs,
        "ratio": theirs["seconds"] / ours["seconds"],
        "processor_ratio": theirs["processor_seconds"] / ours["processor_seconds"],
    }


def product_speed() -> float:
    """Measure double-precision matrix products on all cores, in GFlop/s."""
    size = 2048
    left = np.random.default_rng(0).random((size, size))
    return 2 * size**3 / median_time(lambda: left @ left, 5)["seconds"] / 1e9


def one_iteration(X: np.ndarray, n_components: int, model: str = "VVV", repeats: int = 5) -> dict:
    """Time one E-step and M-step after collapsing; the collapse is timed apart."""
    with Clock() as collapse:
        rows = collapse_rows(X)
    family = resolve_model(model, X.shape[1])
    samples = draw_samples(rows, 1, np.random.SeedSequence(0))
    sample, labels = partition(samples, n_components, "kmeans++", np.random.default_rng(0))
    start = start_from_labels(sample, labels, n_components, family, 1e-6)
    with workers() as run:

        def step() -> None:
            maximise(expect(rows, start, family, run)[0], family, reg_covar=1e-6)

        times = median_time(step, repeats)
    operations = 4.0 * rows.n_distinct * n_products(family, X.shape[1]) * n_components
    return {
        **times,
        "collapse_seconds": collapse.seconds,
        "distinct_rows": rows.n_distinct,
        "gflops": operations / times["seconds"] / 1e9,
    }


def peer_iteration(X: np.ndarray, n_components: int, kind: str = "full", repeats: int = 2) -> dict:
    """Time one E-step and M-step of scikit-learn from a fitted state."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(n_components), len(X))
    peer = Peer(n_components, covariance_type=kind)
    peer._initialize(X, shares)

    def step() -> None:
        _, log_shares = peer._e_step(X)
        peer._m_step(X, log_shares)

    return median_time(step, repeats)


def bench_iteration(path: Path, n_rows: int) -> dict:
    """Compare one iteration, full covariance, seven components, 12 features."""
    result = {"rows": n_rows, "components": 7, "product_gflops": product_speed()}
    tables = {"sessions": lambda: session_features(path, n_rows)}
    tables["continuous"] = lambda: continuous_features(n_rows)
    for name, make in tables.items():
        X = make()
        ours, theirs = one_iteration(X, 7), peer_iteration(X, 7)
        ours["share_of_product_speed"] = ours["gflops"] / result["product_gflops"]
        result[name] = beside(ours, theirs)
    return result


def peer_cell(X: np.ndarray, kind: str, size: int, n_init: int, kept: Path | None) -> dict:
    """Fit one cell with scikit-learn, or find it among those that were kept.

    A time is of one version on so many cores: a cell of others is no cell of this run.
    """
    digest = hashlib.sha256(X.tobytes()).hexdigest()[:16]
    key = {"rows": digest, "kind": kind, "size": size, "n_init": n_init}
    key |= {"scikit_learn": sklearn.__version__, "cores": available_threads()}
    lines = kept.read_text().splitlines() if kept and kept.exists() else []
    known = [cell for cell in map(json.loads, lines) if key.items() <= cell.items()]
    if known:
        return {**known[-1], "reused": True}
    with warnings.catch_warnings(), Clock() as clock:
        warnings.simplefilter("ignore")
        peer = Peer(size, covariance_type=kind, n_init=n_init, random_state=0).fit(X)
    cell = {**key, **clock.figures(), "bic": float(peer.bic(X))}
    if kept:
        with kept.open("a") as file:
            file.write(json.dumps(cell) + "\n")
    return {**cell, "reused": False}


def bench_search(
    path: Path, n_rows: int, kept: Path | None, sizes: range = range(2, 11), n_init: int = 10
) -> dict:
    """Compare the whole search: four types, all sizes, ten starts, BIC cell by cell."""
    X = session_features(path, n_rows)
    search(X[:500], [2], ["VVV"], n_bootstrap=0)  # compiles, once for all runs to come
    with Clock() as clock:
        found = search(X, sizes, list(TYPES.values()), n_init=n_init, n_bootstrap=0)
    bic = found.table.set_index(["model", "n_components"])["bic"]
    theirs, cells = {"seconds": 0.0, "processor_seconds": 0.0}, {}
    worse, better, reused = [], 0, 0
    for kind, model in TYPES.items():
        for size in sizes:
            peer = peer_cell(X, kind, size, n_init, kept)
            theirs = {name: spent + peer[name] for name, spent in theirs.items()}
            excess = float((bic[model, size] - peer["bic"]) / abs(peer["bic"]))
            cells[f"{model},{size}"] = [float(bic[model, size]), peer["bic"]]
            better += excess < -1e-4
            reused += peer["reused"]
            if excess > 1e-4:
                worse.append([model, size, excess])
            print(model, size, round(excess, 6), theirs, file=sys.stderr, flush=True)
    return {
        "rows": n_rows,
        "distinct_rows": collapse_rows(X).n_distinct,
        **beside(clock.figures(), theirs),
        "cells_worse": worse,
        "cells_better": better,
        "cells_of_scikit_learn_reused": reused,
        "bic_ours_and_theirs": cells,
    }


def bench_full(path: Path, n_rows: int) -> dict:
    """Time the whole search on all rows, its audit included, in a process of its own.

    scikit-learn is left out: it would take hours.
    """
    command = [sys.executable, __file__, "--sessions", str(path), "--rows", str(n_rows), "alone"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["alone"]


def bench_alone(path: Path, n_rows: int) -> dict:
    """Search all rows with the default audit; the peak of memory is this process's."""
    X = session_features(path, n_rows)
    _session_table.cache_clear()
    with Clock() as clock:
        found = search(X, range(2, 11), list(TYPES.values()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "rows": n_rows,
        **clock.figures(),
        "peak_gib": peak,
        "cells": len(found.table),
        "cells_with_fit": int(found.table["bic"].notna().sum()),
        "cells_sound": int((found.table["verdict"] == "ok").sum()),
        "verdict": found.certificate["verdict"],
    }


def bench_growth() -> dict:
    """Fit exponents of one iteration's time to numbers of rows, features and components."""
    rows = [50_000, 100_000, 200_000, 400_000]
    features, components = [6, 12, 24, 48], [4, 8, 16, 32]
    X = continuous_features(50_000)
    return {
        "n": _exponent(rows, [one_iteration(continuous_features(n), 7) for n in rows]),
        "d": _exponent(
            features, [one_iteration(continuous_features(50_000, d), 7) for d in features]
        ),
        "k": _exponent(components, [one_iteration(X, k) for k in components]),
    }


def _exponent(sizes: list[int], times: list[dict]) -> dict:
    spent = [time["processor_seconds"] for time in times]
    slope = np.polyfit(np.log(sizes), np.log(spent), 1)[0]
    return {"sizes": sizes, "processor_seconds": spent, "exponent": float(slope)}


MCLUST = """
suppressMessages(library(mclust)); arguments <- commandArgs(TRUE)
X <- as.matrix(read.csv(arguments[1])); begun <- proc.time()[3]
found <- mclustBIC(X, G = 1:9, verbose = FALSE); seconds <- proc.time()[3] - begun
cat(seconds, "\\n"); write.csv(unclass(found)[1:9, ], arguments[2])
"""


def bench_models(path: Path, n_rows: int) -> dict:
    """Run all fourteen models with one to nine components, and mclust where R has it."""
    X = session_features(path, n_rows)
    with Clock() as clock:
        found = search(X, range(1, 10), MODEL_NAMES, n_bootstrap=0)
    result = {
        "rows": n_rows,
        **clock.figures(),
        "cells": len(found.table),
        "cells_with_fit": int(found.table["bic"].notna().sum()),
        "cells_with_a_reason": int(
            (found.table["bic"].isna() & (found.table["verdict"] != "")).sum()
        ),
        "cells_sound": int((found.table["verdict"] == "ok").sum()),
    }
    return {**result, "mclust": run_mclust(X, found.table)}


def run_mclust(X: np.ndarray, table: pd.DataFrame) -> dict | str:
    """Fit the same rows with mclust's defaults and compare BIC cell by cell, or say why not."""
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
        theirs = -pd.read_csv(out, index_col=0)  # mclust's sign is the opposite
    ours = table.pivot(index="n_components", columns="model", values="bic")
    return {"seconds": float(done.stdout.split()[-1]), **compare_cells(ours, theirs)}


def compare_cells(ours: pd.DataFrame, theirs: pd.DataFrame) -> dict:
    """Compare two tables of BIC, sizes by models; smaller is better, nan where there is no fit."""
    pairs = pd.DataFrame({"ours": ours.unstack(), "mclust": theirs.unstack()})
    excess = (pairs["ours"] - pairs["mclust"]) / pairs["mclust"].abs()
    cells = pairs.astype(object).where(pairs.notna(), None)
    return {
        "cells_without_fit": int(theirs.size - theirs.count().sum()),
        "cells_that_only_mclust_fits": int((pairs["ours"].isna() & pairs["mclust"].notna()).sum()),
        "cells_worse": int((excess > 1e-4).sum()),
        "cells_better": int((excess < -1e-4).sum()),
        "bic_ours_and_theirs": {
            f"{model},{size}": row
            for (model, size), row in zip(pairs.index, cells.to_numpy().tolist(), strict=True)
        },
    }


def bench_fit() -> dict:
    """Compare a fit of continuous rows from the same starts to the same optimum."""
    X = continuous_features(100_000)
    with Clock() as clock:
        ours = GaussianMixture(7, n_init=1, random_state=0).fit(X)
    with Clock() as peer_clock:
        peer = Peer(7, n_init=1, random_state=0, tol=1e-6, max_iter=500).fit(X)
    return {
        **beside(clock.figures(), peer_clock.figures()),
        "loglik_per_row": [ours.score(X), peer.score(X)],
    }


PARTS = {
    "iteration": lambda given: bench_iteration(given.sessions, given.rows),
    "growth": lambda given: bench_growth(),
    "fit": lambda given: bench_fit(),
    "search": lambda given: bench_search(
        given.sessions, min(given.rows, 100_000), given.peer_cells
    ),
    "full": lambda given: bench_full(given.sessions, given.rows),
    "models": lambda given: bench_models(given.sessions, min(given.rows, 20_000)),
}
NEED_SESSIONS = {"iteration": SESSIONS, "full": SESSIONS, "search": 100_000, "models": 20_000}


def read_arguments() -> argparse.Namespace:
    """Read what to run."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "alone", []])
    parser.add_argument("--rows", type=int, default=SESSIONS, help="most sessions")
    parser.add_argument("--sessions", type=Path, help="features of sessions, made where absent")
    parser.add_argument("--peer-cells", type=Path, help="scikit-learn's cells, kept and reused")
    given = parser.parse_args()
    given.parts = given.parts or list(PARTS)
    return given


def main() -> None:
    """Run the chosen parts and print their figures."""
    given = read_arguments()
    figures = {
        "machine": {"processor": platform.machine(), "cores": available_threads()},
        "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    }
    parts = {**PARTS, "alone": lambda given: bench_alone(given.sessions, given.rows)}
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(available_threads()):
        given.sessions = given.sessions or Path(folder) / "sessions.parquet"
        needed = min(given.rows, max([0, *(NEED_SESSIONS.get(part, 0) for part in given.parts)]))
        if needed and not given.sessions.exists():
            write_sessions(given.sessions, needed)
        for part in given.parts:
            figures[part] = parts[part](given)
            print(f"{part} done", file=sys.stderr, flush=True)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
