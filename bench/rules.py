"""
Frequent itemsets by cohortlab beside mlxtend's FP-growth and PyFIM, on the same baskets.

Each run is a process of its own, so that its peak memory is its own; it reads the same file, gets
its baskets in the form its library likes best before the clock starts, and is timed from there to
the result in its library's own form. That form is a table of whole numbers for cohortlab, mlxtend's
sparse one-hot frame for mlxtend, and lists of Python's whole numbers for PyFIM; the result is
mlxtend's frame of frozensets for the first two and a list of tuples for PyFIM. So each reads what
Python holds and makes what Python holds; the file is read by none. `cohortlab_lists` begins with
PyFIM's lists, too. The numbers of itemsets have to be equal. Prints JSON.

    python bench/rules.py                  everything (mlxtend takes minutes)
    python bench/rules.py --quick          a tenth of the baskets, once
    python bench/rules.py --peer-python P  the interpreter that has PyFIM (`pip install pyfim`),
                                           where it is not this one
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path

#: Shape of the file, smallest share of its baskets.
CASES = [("retail", 0.002), ("retail", 0.0005), ("t10i4d100k", 0.002), ("dense", 0.5)]
#: mlxtend's Apriori is stopped at this much memory.
APRIORI_LIMIT_GIB = 4


def write_baskets(path: Path, shape: str, n_baskets: int | None = None, n_items: int | None = None):
    """Write one basket a line, items as numbers."""
    import numpy as np

    from cohortlab.synthetic.quest import SHAPES, generate_baskets

    changes = {"n_baskets": n_baskets, "n_items": n_items}
    settings = SHAPES[shape] | {name: value for name, value in changes.items() if value}
    table = generate_baskets(**settings, rng=np.random.default_rng(1)).baskets
    items = table["item"].astype(str).groupby(table["basket_id"]).agg(" ".join)
    path.write_text("\n".join(items) + "\n")


def make(path: Path, shape: str, n_baskets: int | None = None, n_items: int | None = None) -> None:
    """Write baskets in a process of its own: a child's peak starts at its parent's."""
    command = [sys.executable, __file__, "--write", str(path), shape]
    subprocess.run([*command, str(n_baskets or 0), str(n_items or 0)], check=True)


def _lists(path: Path) -> list[list[int]]:
    return [[int(item) for item in line.split()] for line in path.read_text().splitlines()]


def _table(lists: list):
    """Make a table of the lists, and empty them, so that they do not count beside it."""
    import numpy as np
    import pandas as pd

    sizes = np.array([len(basket) for basket in lists])
    items = np.fromiter(chain.from_iterable(lists), dtype=np.int64, count=sizes.sum())
    lists.clear()
    return pd.DataFrame({"basket_id": np.repeat(np.arange(len(sizes)), sizes), "item": items})


def _run_ours(lists: list, min_count: int, repeats: int, form=_table) -> dict:
    from cohortlab.rules import frequent_itemsets

    baskets = form(lists)
    begun = time.perf_counter()
    frequent_itemsets([[1, 2, 3], [1, 2, 3]], 1)
    first_call = time.perf_counter() - begun
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        found = frequent_itemsets(baskets, min_count)
        times.append(time.perf_counter() - begun)
        n_found = len(found)
        del found
    return {"itemsets": n_found, "seconds": times, "first_call_seconds": first_call}


def _run_codes(lists: list, min_count: int, repeats: int) -> dict:
    """Ours to arrays of codes, without the frame of frozensets."""
    from cohortlab.rules.eclat import mine_eclat
    from cohortlab.rules.reading import read_baskets

    table = _table(lists)
    mine_eclat(read_baskets(table.head(6)), 1, max_len=99, cap=10**7)
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        found = mine_eclat(read_baskets(table), min_count, max_len=10**6, cap=10**8)
        times.append(time.perf_counter() - begun)
    return {"itemsets": len(found), "seconds": times}


def _one_hot(lists: list):
    import numpy as np
    import pandas as pd
    from scipy import sparse

    rows = np.repeat(np.arange(len(lists)), [len(basket) for basket in lists])
    columns = np.array([item for basket in lists for item in basket])
    shape = (len(lists), int(columns.max()) + 1)
    held = sparse.csr_array((np.ones(len(rows), dtype=bool), (rows, columns)), shape=shape)
    return pd.DataFrame.sparse.from_spmatrix(held)


def _run_mlxtend(lists: list, min_count: int, repeats: int, algorithm: str) -> dict:
    from mlxtend import frequent_patterns

    held, times = _one_hot(lists), []
    for _ in range(repeats):
        begun = time.perf_counter()
        found = getattr(frequent_patterns, algorithm)(held, (min_count - 0.5) / len(lists))
        times.append(time.perf_counter() - begun)
    return {"itemsets": len(found), "seconds": times}


def _run_apriori(lists: list, min_count: int, repeats: int) -> dict:
    limit = APRIORI_LIMIT_GIB * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        return _run_mlxtend(lists, min_count, repeats, "apriori")
    except MemoryError as error:
        return {"stopped": f"{type(error).__name__}: {error}"}


def _run_pyfim(lists: list, min_count: int, repeats: int, algorithm: str) -> dict:
    import fim

    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        found = getattr(fim, algorithm)(lists, supp=-min_count, zmin=1)
        times.append(time.perf_counter() - begun)
        n_found = len(found)
        del found
    return {"itemsets": n_found, "seconds": times}


WAYS = {
    "cohortlab": _run_ours,
    "cohortlab_lists": lambda *given: _run_ours(*given, form=list),
    "cohortlab_codes": _run_codes,
    "mlxtend_fpgrowth": lambda *given: _run_mlxtend(*given, "fpgrowth"),
    "mlxtend_apriori": _run_apriori,
    "pyfim_fpgrowth": lambda *given: _run_pyfim(*given, "fpgrowth"),
    "pyfim_eclat": lambda *given: _run_pyfim(*given, "eclat"),
}


def run_one(way: str, path: Path, min_count: int, repeats: int) -> None:
    """Run one way in this process and print what it took."""
    lists = _lists(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = WAYS[way](lists, min_count, repeats)
    figures["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    figures["peak_before_mib"] = round(before / 1024)
    print(json.dumps(figures))


def in_own_process(python: str, way: str, path: Path, min_count: int, repeats: int, limit: int):
    """Run one way in a process of its own and return its figures."""
    command = [python, __file__, "--way", way, str(path), str(min_count), str(repeats)]
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return {"stopped": f"after {limit} s"}
    if done.returncode:
        raise RuntimeError(f"{way} on {path.name} failed:\n{done.stderr}")
    figures = json.loads(done.stdout)
    if "seconds" in figures:
        figures["seconds"] = round(statistics.median(figures["seconds"]), 4)
    return figures


def compare(shape: str, support: float, folder: Path, given: argparse.Namespace) -> dict:
    """Run every way on one file."""
    path = folder / f"{shape}.dat"
    if not path.exists():
        make(path, shape, given.baskets)
    n_baskets = len(path.read_text().splitlines())
    min_count = -int(-support * n_baskets // 1)
    figures = {"file": shape, "support": support, "baskets": n_baskets, "min_count": min_count}
    for way in [w for w in WAYS if "apriori" not in w]:
        slow = way.startswith("mlxtend")
        repeats = 1 if slow else given.repeats
        if not way.startswith("pyfim"):
            figures[way] = in_own_process(sys.executable, way, path, min_count, repeats, 600)
        elif given.peer_python:
            figures[way] = in_own_process(given.peer_python, way, path, min_count, repeats, 600)
        else:
            figures[way] = "PyFIM is not installed: pip install pyfim, or give --peer-python"
    return figures | _ratios(figures)


def _ratios(figures: dict) -> dict:
    done = {k: v for k, v in figures.items() if isinstance(v, dict) and "seconds" in v}
    numbers = {name: part["itemsets"] for name, part in done.items()}
    assert len(set(numbers.values())) == 1, f"the numbers of itemsets differ: {numbers}"
    own = done["cohortlab"]["seconds"]
    ratios = {}
    if "mlxtend_fpgrowth" in done:
        ratios["times_faster_than_mlxtend"] = round(done["mlxtend_fpgrowth"]["seconds"] / own, 1)
    peers = [part["seconds"] for name, part in done.items() if name.startswith("pyfim")]
    if peers:
        ratios["time_over_best_pyfim"] = round(own / min(peers), 2)
        codes = done["cohortlab_codes"]["seconds"]
        ratios["codes_time_over_best_pyfim"] = round(codes / min(peers), 2)
        lists = done["cohortlab_lists"]["seconds"]
        ratios["lists_time_over_best_pyfim"] = round(lists / min(peers), 2)
    return ratios


def growth(folder: Path, given: argparse.Namespace) -> list[dict]:
    """Time ours as baskets, items and support grow."""
    cells = [("baskets", n, None, 0.002) for n in given.growth]
    cells += [("items", given.growth[0], n, 0.002) for n in (1_000, 4_000, 16_000)]
    cells += [("support", given.growth[0], None, s) for s in (0.01, 0.002, 0.0005, 0.0002)]
    rows = []
    for what, n_baskets, n_items, support in cells:
        path = folder / "growth.dat"
        make(path, "retail", n_baskets, n_items)
        min_count = -int(-support * n_baskets // 1)
        figures = in_own_process(sys.executable, "cohortlab", path, min_count, given.repeats, 600)
        size = {"baskets": n_baskets, "items": n_items or 16_000, "support": support}
        rows.append({"growing": what} | size | figures)
    return rows


def compile_seconds() -> float:
    """Time the first call where no machine code is kept."""
    with tempfile.TemporaryDirectory() as cache:
        code = (
            "import time; from cohortlab.rules import frequent_itemsets; t = time.perf_counter();"
            "frequent_itemsets([[1, 2, 3], [1, 2, 3]], 1); print(time.perf_counter() - t)"
        )
        environment = dict(os.environ, NUMBA_CACHE_DIR=cache)
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
    return round(float(done.stdout), 1)


def _has_pyfim(python: str) -> bool:
    return (
        subprocess.run([python, "-c", "import fim"], capture_output=True, check=False).returncode
        == 0
    )


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--way", nargs=4, metavar=("WAY", "FILE", "COUNT", "REPEATS"))
    parser.add_argument("--write", nargs=4, metavar=("FILE", "SHAPE", "BASKETS", "ITEMS"))
    parser.add_argument("--quick", action="store_true", help="a tenth of the baskets, once")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peer-python", help="an interpreter that has PyFIM")
    parser.add_argument("--skip", nargs="*", default=[], choices=["cases", "apriori", "growth"])
    given = parser.parse_args()
    if given.write:
        path, shape, n_baskets, n_items = given.write
        return write_baskets(Path(path), shape, int(n_baskets), int(n_items))
    if given.way:
        way, path, min_count, repeats = given.way
        return run_one(way, Path(path), int(min_count), int(repeats))
    given.baskets = 8_800 if given.quick else None
    given.growth = [10_000, 20_000] if given.quick else [50_000, 100_000, 200_000, 400_000]
    given.repeats = 1 if given.quick else given.repeats
    peer = given.peer_python or sys.executable
    given.peer_python = peer if _has_pyfim(peer) else None
    report = {"python": platform.python_version(), "cores": len(os.sched_getaffinity(0))}
    report["compile_seconds"] = compile_seconds()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if "cases" not in given.skip:
            report["cases"] = [compare(*case, folder, given) for case in CASES]
        if "apriori" not in given.skip:
            path = folder / "apriori.dat"
            make(path, "retail", given.baskets)
            count = -int(-0.002 * len(path.read_text().splitlines()) // 1)
            figures = in_own_process(sys.executable, "mlxtend_apriori", path, count, 1, 120)
            limit = {"memory_limit_gib": APRIORI_LIMIT_GIB}
            report["mlxtend_apriori"] = limit | figures
        if "growth" not in given.skip:
            report["growth"] = growth(folder, given)
    print(json.dumps(report, indent=2))
    return None


if __name__ == "__main__":
    main()
