"""
The table of relations at scale, and modularity beside networkx and scikit-network.

One million people, 100,000 items and 20 million edges, made and counted in a process of their own
each, so that peak memory is that of the relation alone. The table is also tested by shuffled labels
and by shuffled edges (dealt anew, since pairs are joined more than once); and since pairs that are
joined once at most are swapped, one round of swaps is timed on the graph without weights: a table
takes 30 rounds and 4 more a shuffle. Modularity is what the other two libraries
do as well; networkx gets a smaller graph, because it keeps a Python object for every edge. (The
modularity of scikit-network is that of the graph without sides, so its value is another one.)
On the smaller graph clusters are found from the edges too: Louvain and spectral co-clustering as
`co_cluster` calls them, beside Louvain of both libraries and scikit-network's spectral embedding
with k-means; the adjusted Rand index of the people says what each found.
Before that a million edges between 100,000 people and 10,000 items with features are generated, by
every purchasing function. Prints JSON. A full run and a quick one:

    python bench/bipartite.py
    python bench/bipartite.py --people 20000 --items 2000 --edges 400000
"""

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from scipy import sparse

N_CLUSTERS = 20
PEERS = {"networkx": "networkx", "scikit-network": "sknetwork"}
#: Edges up to which clusters are found, and networkx takes part.
FEW_EDGES = 2_000_000
#: Shuffles behind a table by permutation.
N_SHUFFLES = 199


def make_graph(folder: Path, n_people: int, n_items: int, n_edges: int, *, seed: int) -> None:
    """Write a planted graph with a power law of popularity, and its labels."""
    import pandas as pd

    from cohortlab.synthetic.populations import generate_purchases

    people = pd.DataFrame({"cluster": np.arange(n_people) % N_CLUSTERS})
    items = pd.DataFrame({"cluster": np.arange(n_items) % N_CLUSTERS})
    found = generate_purchases(
        people.astype(str),
        items.astype(str),
        strength=0.3,
        person_degrees={"distribution": "poisson", "mean": n_edges / n_people},
        item_degrees={"distribution": "power_law", "exponent": 2.0, "minimum": 1, "maximum": 1000},
        random_state=seed,
    )
    sparse.save_npz(folder / "matrix.npz", sparse.csr_matrix(found.matrix), compressed=False)
    np.save(folder / "people.npy", people["cluster"].to_numpy())
    np.save(folder / "items.npy", items["cluster"].to_numpy())


def generate(purchasing: str, n_people: int) -> dict:
    """Generate people, an item for every ten, with features, and ten edges a person."""
    from cohortlab.laboratory import DESIGN
    from cohortlab.synthetic.populations import generate_purchases, make_population

    taste = {"kind": "budget", "person": "budget", "item": "price", "tolerance": 0.5}
    begin = clocks()
    people = make_population(n_people, **DESIGN["people"], random_state=0)
    items = make_population(n_people // 10, **DESIGN["items"], random_state=1)
    found = generate_purchases(
        people.assign(budget=people["budget"].clip(lower=1)),
        items.assign(price=items["price"].clip(lower=1)),
        strength=0.5,
        purchasing=purchasing,
        tastes=[] if purchasing == "cluster" else [taste],
        person_degrees={"distribution": "constant", "mean": 10},
        item_degrees={"distribution": "power_law", "exponent": 2.0, "minimum": 1, "maximum": 1000},
        random_state=2,
    )
    return {"n_edges": int(found.matrix.sum()), **spent(begin)}


def clocks() -> tuple[float, float]:
    """Read the clock on the wall and the processor time of this process."""
    return time.perf_counter(), time.process_time()


def spent(begin: tuple[float, float]) -> dict:
    """Say how long it took since then, and the peak memory of this process."""
    seconds, cpu_seconds = (now - then for now, then in zip(clocks(), begin, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "peak_memory_gb": round(peak / 1024**2, 2),
    }


def read_graph(folder: Path) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Read what `make_graph` wrote."""
    matrix = sparse.csr_array(sparse.load_npz(folder / "matrix.npz"))
    return matrix, np.load(folder / "people.npy"), np.load(folder / "items.npy")


def relate(matrix: sparse.csr_array, people: np.ndarray, items: np.ndarray) -> dict:
    """Count and test all cells."""
    from cohortlab.bipartite import relations

    table = relations(matrix, people, items)
    return {"n_cells": len(table), "n_significant": int((table["q"] <= 0.05).sum())}


def relate_shuffled(permutation: str) -> Callable:
    """Return the task that counts and tests all cells, with 199 shuffles besides."""

    def task(matrix: sparse.csr_array, people: np.ndarray, items: np.ndarray) -> dict:
        from cohortlab.bipartite import relations

        table = relations(
            matrix,
            people,
            items,
            permutation=permutation,
            n_permutations=N_SHUFFLES,
            rng=np.random.default_rng(0),
        )
        return {"n_significant": int((table["q_permutation"] <= 0.05).sum())}

    return task


def swap_round(matrix: sparse.csr_array, _: np.ndarray, __: np.ndarray) -> dict:
    """One round of swaps, in which every edge meets another one, of the graph without weights."""
    from cohortlab.bipartite import swap_edges

    simple = sparse.csr_array(matrix > 0).astype(int)
    swapped = swap_edges(simple, n_rounds=1, rng=np.random.default_rng(0))
    kept = simple.multiply(swapped).sum() / simple.sum()
    return {"n_edges": int(simple.sum()), "share_kept": round(float(kept), 3)}


def modularity_cohortlab(matrix: sparse.csr_array, people: np.ndarray, items: np.ndarray) -> dict:
    """Barber's modularity by cohortlab."""
    from cohortlab.bipartite import modularity

    return {"modularity": modularity(matrix, people, items)}


def modularity_sknetwork(matrix: sparse.csr_array, people: np.ndarray, items: np.ndarray) -> dict:
    """Modularity by scikit-network, which takes the graph for one without sides."""
    from sknetwork.clustering import get_modularity

    return {"modularity": float(get_modularity(sparse.csr_matrix(matrix), people, items))}


def modularity_networkx(matrix: sparse.csr_array, people: np.ndarray, items: np.ndarray) -> dict:
    """Barber's modularity by networkx: that of the directed graph from people to items."""
    import networkx as nx

    n_people = len(people)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(sum(matrix.shape)))
    rows = np.repeat(np.arange(n_people), np.diff(matrix.indptr))
    graph.add_weighted_edges_from(
        zip(rows.tolist(), (n_people + matrix.indices).tolist(), matrix.data.tolist(), strict=True)
    )
    modules = [
        {*np.flatnonzero(people == c), *(n_people + np.flatnonzero(items == c))}
        for c in np.unique(people)
    ]
    return {"modularity": float(nx.community.modularity(graph, modules))}


def undirected_networkx(matrix: sparse.csr_array) -> object:
    """Return the graph without sides as networkx keeps it."""
    import networkx as nx

    return nx.bipartite.from_biadjacency_matrix(matrix, edge_attribute="weight")


def agreement(true: np.ndarray, found: np.ndarray) -> dict:
    """Say how many groups of people were found, and the adjusted Rand index."""
    from cohortlab.recovery import label_scores

    scores = label_scores(true, found)
    index = round(scores["adjusted_rand_index"], 3)
    return {"n_groups": len(np.unique(found)), "person_ari": index}


def co_clustered(method: str) -> Callable:
    """Return the task that clusters both sides by a method of `co_cluster`."""

    def task(matrix: sparse.csr_array, people: np.ndarray, _: np.ndarray) -> dict:
        from cohortlab.communities import FIND_THEIR_NUMBER, co_cluster

        n_clusters = None if method in FIND_THEIR_NUMBER else len(np.unique(people))
        found = co_cluster(matrix, method=method, n_clusters=n_clusters)
        return agreement(people, found.person_labels)

    return task


def louvain_sknetwork(matrix: sparse.csr_array, people: np.ndarray, _: np.ndarray) -> dict:
    """Louvain by scikit-network with its own settings."""
    from sknetwork.clustering import Louvain

    model = Louvain(random_state=0).fit(sparse.csr_matrix(matrix), force_bipartite=True)
    return agreement(people, model.labels_row_)


def louvain_networkx(matrix: sparse.csr_array, people: np.ndarray, _: np.ndarray) -> dict:
    """Louvain by networkx, which takes the graph for one without sides."""
    import networkx as nx

    found = np.zeros(sum(matrix.shape), dtype=int)
    modules = nx.community.louvain_communities(undirected_networkx(matrix), seed=0)
    for number, members in enumerate(modules):
        found[list(members)] = number
    return agreement(people, found[: len(people)])


def spectral_sknetwork(matrix: sparse.csr_array, people: np.ndarray, _: np.ndarray) -> dict:
    """Spectral embedding by scikit-network, its rows clustered by k-means."""
    from sklearn.cluster import KMeans
    from sknetwork.embedding import GSVD

    n_clusters = len(np.unique(people))
    model = GSVD(min(n_clusters, *matrix.shape) - 1).fit(sparse.csr_matrix(matrix))
    rows = np.vstack([model.embedding_row_, model.embedding_col_])
    found = KMeans(n_clusters, n_init=10, random_state=0).fit(rows).labels_
    return agreement(people, found[: len(people)])


TASKS: dict[str, tuple[str, Callable]] = {
    "relations": ("cohortlab", relate),
    "relations_labels_shuffled": ("cohortlab", relate_shuffled("labels")),
    "relations_edges_shuffled": ("cohortlab", relate_shuffled("edges")),
    "swap_round": ("cohortlab", swap_round),
    "modularity": ("cohortlab", modularity_cohortlab),
    "modularity_sknetwork": ("scikit-network", modularity_sknetwork),
    "modularity_networkx": ("networkx", modularity_networkx),
    "louvain": ("cohortlab", co_clustered("louvain")),
    "louvain_sknetwork": ("scikit-network", louvain_sknetwork),
    "louvain_networkx": ("networkx", louvain_networkx),
    "spectral": ("cohortlab", co_clustered("spectral")),
    "spectral_sknetwork": ("scikit-network", spectral_sknetwork),
    "block_model": ("cohortlab", co_clustered("block_model")),
}
#: What runs on many edges too.
SCALES = (
    "relations",
    "relations_labels_shuffled",
    "relations_edges_shuffled",
    "swap_round",
    "modularity",
    "modularity_sknetwork",
)


def run_task(name: str, folder: Path) -> dict:
    """Run one task on the graph of a folder, with its time and the peak memory of this process."""
    graph = read_graph(folder)
    # What is imported on the way is not what is measured.
    tiny = np.arange(3)
    TASKS[name][1](sparse.csr_array(np.eye(3, dtype=int)), tiny, tiny)
    loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = clocks()
    found = TASKS[name][1](*graph)
    return {**spent(begin), "of_it_the_graph_gb": round(loaded / 1024**2, 2), **found}


def in_own_process(arguments: list[str], timeout_sec: float) -> dict:
    """Run a task in a process of its own; say why where it does not finish."""
    command = [sys.executable, __file__, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_sec)
    except subprocess.TimeoutExpired:
        return {"failed": f"not finished after {timeout_sec:g} s"}
    if done.returncode != 0:
        return {"failed": done.stderr.strip().splitlines()[-1:] or f"exit {done.returncode}"}
    return json.loads(done.stdout)


def missing_peers() -> dict[str, str]:
    """Say which of the other libraries are not installed."""
    missing = {}
    for name, module in PEERS.items():
        try:
            importlib.import_module(module)
        except ImportError:
            missing[name] = "not installed"
    return missing


def installed_versions() -> dict[str, str]:
    """Versions of what is compared."""
    found = {}
    for name in ["numpy", "scipy", *PEERS]:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def bench(n_people: int, n_items: int, n_edges: int, timeout_sec: float) -> dict:
    """Make one graph and run every task on it that its size allows."""
    missing = missing_peers()
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, __file__, "--make", str(n_people), str(n_items), str(n_edges)]
        begin = time.perf_counter()
        subprocess.run([*command, "--folder", name], check=True)
        results = {"make_seconds": round(time.perf_counter() - begin, 2)}
        for task, (library, _) in TASKS.items():
            if library in missing:
                results[task] = {"failed": missing[library]}
            elif n_edges <= FEW_EDGES or task in SCALES:
                arguments = ["--task", task, "--folder", name]
                results[task] = in_own_process(arguments, timeout_sec)
    return {"n_people": n_people, "n_items": n_items, "n_edges": n_edges, **results}


def main() -> None:
    """Read the arguments and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=20_000_000)
    parser.add_argument(
        "--made", type=int, default=100_000, help="people of the generated populations"
    )
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds a task")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--generate", help=argparse.SUPPRESS)
    parser.add_argument("--make", type=int, nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        make_graph(given.folder, *given.make, seed=0)
    elif given.generate:
        print(json.dumps(generate(given.generate, given.made)))
    elif given.task:
        print(json.dumps(run_task(given.task, given.folder)))
    else:
        sizes = [(given.people, given.items, given.edges)]
        if given.edges > FEW_EDGES:
            sizes.append((given.people // 50, given.items // 50, given.edges // 50))
        made = {
            name: in_own_process(["--generate", name, "--made", str(given.made)], given.timeout)
            for name in ("cluster", "features", "habit")
        }
        runs = [bench(*size, given.timeout) for size in sizes]
        found = {"versions": installed_versions(), "generate": made, "runs": runs}
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
