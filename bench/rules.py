"""
Frequent itemsets by cohortlab beside mlxtend's FP-growth and PyFIM, on the same baskets.

Each run is a process of its own, so that its peak memory is its own; it reads the same file, gets
its baskets in the form its library likes best before the clock starts, and is timed from there to
the result in its library's own form. That form is a table of whole numbers for cohortlab, mlxtend's
sparse one-hot frame for mlxtend, and lists of Python's whole numbers for PyFIM; the result is
mlxtend's frame of frozensets for the first two and a list of tuples for PyFIM. So each reads what
Python holds and makes what Python holds; the file is read by none. `cohortlab_lists` begins with
PyFIM's lists, too. The numbers of itemsets have to be equal. Growth is that of ours with baskets,
items and support. Prints JSON; times are medians, of the clock and of the processor. At its end
stands for each file whether it is ten times faster than mlxtend, takes at most twice PyFIM's time,
and stays under 1 GiB.

    python bench/rules.py                  everything (mlxtend takes minutes)
    python bench/rules.py --quick          few baskets, once: whether it runs
    python bench/rules.py --peer-python P  the interpreter that has PyFIM (`pip install pyfim`),
                                           where it is not this one
    python bench/rules.py --table FILE     the tables of docs/rules.md from the JSON of a run, and
                                           which aims it reached
"""

import argparse
import json
import operator
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
#: Baskets of the growing files; items, and shares, of those as large as the smallest of them.
GROWTH = {
    "baskets": [50_000, 100_000, 200_000, 400_000],
    "items": [1_000, 4_000, 16_000],
    "support": [0.01, 0.002, 0.0005, 0.0002],
}
#: The same in a quick run, and how many baskets its other files have.
QUICK_CASES = [("dense", 0.5)]
QUICK_GROWTH = {"baskets": [1_000], "items": [16_000], "support": [0.01]}
QUICK_BASKETS = 1_000
#: mlxtend's Apriori is stopped at this much memory.
APRIORI_LIMIT_GIB = 4
#: What is aimed at: a figure of a case -> in words, whether it has to be at least so much, or less.
AIMS = {
    "times_faster_than_mlxtend_seconds": ("times faster than mlxtend, by the clock", ">=", 10),
    "times_faster_than_mlxtend_cpu_seconds": ("times faster, by the processor", ">=", 10),
    "cohortlab_over_best_pyfim_seconds": ("of PyFIM's time, by the clock", "<=", 2),
    "cohortlab_over_best_pyfim_cpu_seconds": ("of PyFIM's time, by the processor", "<=", 2),
    "peak_mib": ("MiB at the peak", "<", 1024),
}


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


def _timed(call, repeats: int) -> dict:
    """Call again and again, each result gone before the next; seconds of the clock and of work."""
    seconds, cpu_seconds = [], []
    for _ in range(repeats):
        begun, worked = time.perf_counter(), time.process_time()
        found = call()
        seconds.append(time.perf_counter() - begun)
        cpu_seconds.append(time.process_time() - worked)
        n_found = len(found)
        del found
    medians = [round(statistics.median(times), 4) for times in (seconds, cpu_seconds)]
    return {"itemsets": n_found, "seconds": medians[0], "cpu_seconds": medians[1]}


def _run_ours(lists: list, min_count: int, repeats: int, form=_table) -> dict:
    from cohortlab.rules import frequent_itemsets

    baskets = form(lists)
    begun = time.perf_counter()
    frequent_itemsets([[1, 2, 3], [1, 2, 3]], 1)
    first_call = round(time.perf_counter() - begun, 3)
    figures = _timed(lambda: frequent_itemsets(baskets, min_count), repeats)
    return figures | {"first_call_seconds": first_call}


def _run_codes(lists: list, min_count: int, repeats: int) -> dict:
    """Ours to arrays of codes, without the frame of frozensets."""
    from cohortlab.rules.eclat import mine_eclat
    from cohortlab.rules.reading import read_baskets

    table = _table(lists)
    mine_eclat(read_baskets(table.head(6)), 1, max_len=99, cap=10**7)
    options = {"max_len": 10**6, "cap": 10**8}
    return _timed(lambda: mine_eclat(read_baskets(table), min_count, **options), repeats)


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

    held, share = _one_hot(lists), (min_count - 0.5) / len(lists)
    return _timed(lambda: getattr(frequent_patterns, algorithm)(held, share), repeats)


def _run_apriori(lists: list, min_count: int, repeats: int) -> dict:
    limit = APRIORI_LIMIT_GIB * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        return _run_mlxtend(lists, min_count, repeats, "apriori")
    except MemoryError as error:
        return {"stopped": f"{type(error).__name__}: {error}"}


def _run_pyfim(lists: list, min_count: int, repeats: int, algorithm: str) -> dict:
    import fim

    return _timed(lambda: getattr(fim, algorithm)(lists, supp=-min_count, zmin=1), repeats)


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
    return json.loads(done.stdout)


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
    ratios = {}
    for name in ("seconds", "cpu_seconds"):
        own, taken = done["cohortlab"][name], {way: part[name] for way, part in done.items()}
        ratios[f"times_faster_than_mlxtend_{name}"] = round(taken["mlxtend_fpgrowth"] / own, 1)
        peers = [taken[way] for way in taken if way.startswith("pyfim")]
        for way in ("cohortlab", "cohortlab_lists", "cohortlab_codes") if peers else ():
            ratios[f"{way}_over_best_pyfim_{name}"] = round(taken[way] / min(peers), 2)
    return ratios


def verdicts(cases: list[dict]) -> list[str]:
    """Say of every case and aim whether it is reached, and how far it is."""
    holds = {">=": operator.ge, "<=": operator.le, "<": operator.lt}
    sentences = []
    for case in cases:
        known = case | {"peak_mib": case["cohortlab"]["peak_mib"]}
        for name, (words, sign, aim) in AIMS.items():
            told = "not measured"
            if name in known:
                reached = holds[sign](known[name], aim)
                told = f"{known[name]:g}, {'reached' if reached else 'NOT REACHED'}"
            sentences.append(
                f"{case['file']} at {case['support']:.2%}: {words}: {told} (aim {sign} {aim})"
            )
    return sentences


def growth(folder: Path, given: argparse.Namespace) -> list[dict]:
    """Time ours as baskets, items and support grow."""
    least = given.growth["baskets"][0]
    cells = [("baskets", n, 16_000, 0.002) for n in given.growth["baskets"]]
    cells += [("items", least, n, 0.002) for n in given.growth["items"]]
    cells += [("support", least, 16_000, share) for share in given.growth["support"]]
    rows = []
    for what, n_baskets, n_items, support in cells:
        path = folder / f"retail_{n_baskets}_{n_items}.dat"
        if not path.exists():
            make(path, "retail", n_baskets, n_items)
        min_count = -int(-support * n_baskets // 1)
        figures = in_own_process(sys.executable, "cohortlab", path, min_count, given.repeats, 600)
        size = {"baskets": n_baskets, "items": n_items, "support": support}
        rows.append({"growing": what} | size | figures)
    return rows


def as_tables(report: dict) -> str:
    """Write the tables of docs/rules.md, and between them which aims are reached."""
    cases = [
        "| file | baskets | support | itemsets | cohortlab | PyFIM | mlxtend FP-growth | peak |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in report["cases"]:
        own, peers = case["cohortlab"], [case["pyfim_fpgrowth"], case["pyfim_eclat"]]
        known = [peer["seconds"] for peer in peers if "seconds" in peer]
        cells = [case["file"], f"{case['baskets']:,}", f"{case['support']:.2%}"]
        cells += [f"{own['itemsets']:,}", f"{own['seconds']:.2f} s"]
        cells += [f"{min(known):.2f} s" if known else "not here"]
        cells += [f"{case['mlxtend_fpgrowth']['seconds']:.1f} s", f"{own['peak_mib']} MiB"]
        cases.append("| " + " | ".join(cells) + " |")
    grown = [
        "| growing | baskets | items | support | itemsets | time | processor | peak |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in report["growth"]:
        cells = [row["growing"], f"{row['baskets']:,}", f"{row['items']:,}"]
        cells += [f"{row['support']:.2%}", f"{row['itemsets']:,}", f"{row['seconds']:.2f} s"]
        cells += [f"{row['cpu_seconds']:.2f} s", f"{row['peak_mib']} MiB"]
        grown.append("| " + " | ".join(cells) + " |")
    told = [f"- {verdict}" for verdict in verdicts(report["cases"])]
    return "\n".join([*cases, "", *told, "", *grown])


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
    parser.add_argument("--quick", action="store_true", help="few baskets, once")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peer-python", help="an interpreter that has PyFIM")
    parser.add_argument("--skip", nargs="*", default=[], choices=["cases", "apriori", "growth"])
    parser.add_argument("--table", metavar="FILE", help="tables from the JSON of a run")
    given = parser.parse_args()
    if given.write:
        path, shape, n_baskets, n_items = given.write
        return write_baskets(Path(path), shape, int(n_baskets), int(n_items))
    if given.way:
        way, path, min_count, repeats = given.way
        return run_one(way, Path(path), int(min_count), int(repeats))
    print(as_tables(_read(given.table)) if given.table else json.dumps(measure(given), indent=2))
    return None


def _read(path: str) -> dict:
    return json.loads(Path(path).read_text())


def measure(given: argparse.Namespace) -> dict:
    """Run what the command line asks for, each way in a process of its own."""
    given.baskets = QUICK_BASKETS if given.quick else None
    given.growth = QUICK_GROWTH if given.quick else GROWTH
    given.repeats = 1 if given.quick else given.repeats
    peer = given.peer_python or sys.executable
    given.peer_python = peer if _has_pyfim(peer) else None
    report = {"python": platform.python_version(), "cores": len(os.sched_getaffinity(0))}
    if not given.quick:
        report["compile_seconds"] = compile_seconds()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if "cases" not in given.skip:
            cases = QUICK_CASES if given.quick else CASES
            report["cases"] = [compare(*case, folder, given) for case in cases]
        if "apriori" not in given.skip:
            path = folder / "apriori.dat"
            make(path, "retail", given.baskets)
            count = -int(-0.002 * len(path.read_text().splitlines()) // 1)
            figures = in_own_process(sys.executable, "mlxtend_apriori", path, count, 1, 120)
            limit = {"memory_limit_gib": APRIORI_LIMIT_GIB}
            report["mlxtend_apriori"] = limit | figures
        if "growth" not in given.skip:
            report["growth"] = growth(folder, given)
    report["verdicts"] = verdicts(report.get("cases", []))
    return report


if __name__ == "__main__":
    main()
