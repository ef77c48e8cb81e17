"""
DBSCAN on equal flows kept as weights, beside scikit-learn's on rows: labels, time and memory.

    python bench/traffic.py                              every part, on the KDD Cup 1999 file
    python bench/traffic.py --file kddcup.data_10_percent.gz --limit-gb 3
    python bench/traffic.py --rows 500 1000              smaller samples

Rows are the connections of the public file, as the example kdd99 maps and prepares them. First both
must give the same labels on random samples, of which the largest is also timed; then ours takes the
whole file, from reading to flags; then scikit-learn's takes growing samples until it needs more
memory or time than is allowed. Each run is a process of its own, so that its peak of memory is its
own; processor time is that of all cores. Prints JSON; `aims` says which aims are reached, null
where nothing was asked.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

REPOSITORY = Path(__file__).resolve().parents[1]
FILE = REPOSITORY.parent / "shared" / "data" / "kdd99" / "kddcup.data_10_percent.gz"
MIN_SAMPLES = 100
SEED = 20261130
GB = 1 << 30
#: Aims: the labels of scikit-learn on so many rows; the whole file within seconds and memory.
AIM_ROWS = 20_000
AIM_SEC = 120.0
AIM_GB = 3.0


def read(file: Path) -> np.ndarray:
    """Read the file as the example does, and prepare its flows as the study does."""
    from cohortlab import anomalies
    from cohortlab.features import flows as of
    from cohortlab.sources import read_flows

    yaml = YAML(typ="safe")
    columns = yaml.load(REPOSITORY / "examples" / "kdd99.yaml")["data"]["columns"]
    block = yaml.load(REPOSITORY / "params.yaml")["studies"]["traffic"]["anomalies"]
    with tempfile.TemporaryDirectory() as scratch:
        log = read_flows(str(file), columns=columns, scratch=Path(scratch)).tables["flows"]
        features, _, _ = of.fill(of.flow_features(log.to_pandas()))
    return anomalies.learn_preparation(features, block["curves"]).apply(features)


def ours(rows: np.ndarray, eps: float | None) -> tuple[np.ndarray, float]:
    """Cluster with weights."""
    from cohortlab.anomalies import dbscan

    found = dbscan(rows, eps=eps, min_samples=MIN_SAMPLES)
    return found.labels, found.eps


def theirs(rows: np.ndarray, eps: float | None) -> tuple[np.ndarray, float]:
    """Cluster with scikit-learn."""
    from sklearn.cluster import DBSCAN

    return DBSCAN(eps=eps, min_samples=MIN_SAMPLES).fit_predict(rows), eps


WAYS = {"cohortlab": ours, "scikit_learn": theirs}


def peak_gb() -> float:
    """Read the peak of this process; what `getrusage` tells begins with that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / GB


def task(given: argparse.Namespace) -> None:
    """Do one run in this process and print its figures; labels go into a file."""
    if given.limit_gb:
        resource.setrlimit(resource.RLIMIT_DATA, (int(given.limit_gb * GB),) * 2)
    begin, clock = time.process_time(), time.perf_counter()
    rows = read(given.file) if given.task == "whole" else np.load(given.file)
    if given.task != "whole":
        WAYS["cohortlab"](rows[:50], 1.0)  # compiles, which no run should be charged with
        begin, clock = time.process_time(), time.perf_counter()
    labels, eps = WAYS["cohortlab" if given.task == "whole" else given.task](rows, given.eps)
    figures = {
        "n_rows": len(rows),
        "eps": eps,
        "n_clusters": int(labels.max()) + 1,
        "n_noise": int((labels < 0).sum()),
        "processor_seconds": round(time.process_time() - begin, 2),
        "seconds": round(time.perf_counter() - clock, 2),
        "peak_gb": round(peak_gb(), 3),
    }
    if given.labels:
        np.save(given.labels, labels)
    print(json.dumps(figures))


def run(name: str, file: Path, *, given: argparse.Namespace, **options) -> dict:
    """Do one run in a process of its own, within the limits; say why where it stops."""
    command = [sys.executable, __file__, "--task", name, "--file", str(file)]
    for key, value in options.items():
        command += [f"--{key.replace('_', '-')}", str(value)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=given.limit_sec, check=False
        )
    except subprocess.TimeoutExpired:
        return {"stopped": f"after {given.limit_sec} seconds"}
    if done.returncode:
        is_memory = "MemoryError" in done.stderr or "bad_alloc" in done.stderr
        return {"stopped": f"at {given.limit_gb:g} GB" if is_memory else done.stderr[-300:]}
    return json.loads(done.stdout)


def compare(folder: Path, rows: np.ndarray, n_rows: int, eps: float, given) -> dict:
    """Run both ways on one random sample."""
    chosen = np.random.default_rng(SEED).choice(len(rows), min(n_rows, len(rows)), replace=False)
    np.save(folder / "rows.npy", rows[np.sort(chosen)])
    found = {}
    for name in WAYS:
        limit = {"limit_gb": given.limit_gb}
        labels = folder / f"{name}.npy"
        labels.unlink(missing_ok=True)
        found[name] = run(name, folder / "rows.npy", given=given, eps=eps, labels=labels, **limit)
    figures = {"n_rows": len(chosen), **found}
    if not any("stopped" in one for one in found.values()):
        pair = [np.load(folder / f"{name}.npy") for name in WAYS]
        figures["same_labels"] = bool((pair[0] == pair[1]).all())
        figures |= {
            f"{what}_ratio": round(found["scikit_learn"][what] / found["cohortlab"][what], 1)
            for what in ("processor_seconds", "peak_gb")
        }
    return figures


def foretold_gb(rows: np.ndarray) -> float:
    """Count what scikit-learn's lists of neighbours need for equal rows alone: 8 bytes a pair."""
    counts = pd.DataFrame(rows).value_counts().to_numpy().astype(float)
    return float((counts**2).sum() * 8 / GB)


def aims(found: dict) -> dict[str, bool | None]:
    """Say which aims are reached; None where no run of that size ended both ways."""
    whole = found["whole_file"]
    told = [one.get("same_labels") for one in found["samples"] if one["n_rows"] == AIM_ROWS]
    return {
        f"same_labels_at_{AIM_ROWS}_rows": told[0] if told else None,
        f"whole_file_within_{AIM_SEC:g}_seconds": whole.get("seconds", np.inf) <= AIM_SEC,
        f"whole_file_within_{AIM_GB:g}_gb": whole.get("peak_gb", np.inf) <= AIM_GB,
    }


def main() -> None:
    """Read the command line, measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[5_000, 10_000, 20_000, 40_000, 80_000]
    )
    parser.add_argument("--limit-gb", type=float, default=3.0, help="memory of one run")
    parser.add_argument("--limit-sec", type=float, default=120.0, help="seconds of one run")
    parser.add_argument("--task", choices=["whole", *WAYS], help=argparse.SUPPRESS)
    parser.add_argument("--eps", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--labels", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        task(given)
        return
    if not given.file.is_file():
        parser.error(f"there is no file {given.file}: name the KDD Cup file by --file")
    rows = read(given.file)
    whole = run("whole", given.file, given=given, limit_gb=given.limit_gb)
    found = {
        "versions": {name: version(name) for name in ("numpy", "scikit-learn")},
        "min_samples": MIN_SAMPLES,
        "n_distinct": len(np.unique(rows, axis=0)),
        "whole_file": whole,
        "scikit_learn_needs_gb_for_equal_rows": round(foretold_gb(rows), 1),
        "samples": [],
    }
    eps = whole.get("eps", 0.5)
    with tempfile.TemporaryDirectory() as name:
        for n_rows in given.rows:
            found["samples"].append(compare(Path(name), rows, n_rows, eps, given))
            if "stopped" in found["samples"][-1]["scikit_learn"]:
                break
    found["aims"] = aims(found)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
