"""The benchmark runs at a tiny size, and every task of it finds what was planted."""

import importlib.util
import json
import sys

import pytest
from conftest import REPOSITORY

PATH = REPOSITORY / "bench" / "bipartite.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("bench_bipartite", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.N_CLUSTERS = 3
    return module


@pytest.fixture(scope="module")
def graph(bench, tmp_path_factory):
    folder = tmp_path_factory.mktemp("graph")
    bench.make_graph(folder, 120, 60, 2400, seed=0)
    return folder


@pytest.fixture(scope="module")
def found(bench, graph):
    missing = bench.missing_peers()
    return {
        name: bench.run_task(name, graph)
        for name, (library, _) in bench.TASKS.items()
        if library not in missing
    }


def test_every_task_tells_its_time_and_memory(found):
    assert {"relations", "modularity", "louvain", "spectral", "block_model"} <= found.keys()
    for figures in found.values():
        assert min(figures["seconds"], figures["cpu_seconds"]) >= 0
        assert figures["peak_memory_gb"] >= figures["of_it_the_graph_gb"] > 0


def test_the_planted_relation_is_found_with_and_without_shuffles(found):
    assert found["relations"]["n_cells"] == 9
    # Each of the three clusters has its own items: more edges there, fewer elsewhere.
    for name in ("relations", "relations_labels_shuffled", "relations_edges_shuffled"):
        assert found[name]["n_significant"] == 9, name


def test_networkx_gives_the_same_modularity(found):
    pytest.importorskip("networkx")
    theirs = found["modularity_networkx"]["modularity"]
    assert found["modularity"]["modularity"] == pytest.approx(theirs, abs=1e-12)


def test_clusters_found_from_the_edges_agree_with_the_planted_ones(found):
    for name in ("louvain", "spectral", "block_model"):
        assert found[name]["person_ari"] > 0.3, name


def test_what_runs_on_many_edges_too_is_among_the_tasks(bench):
    assert set(bench.SCALES) < set(bench.TASKS)


def test_a_round_of_swaps_is_timed_on_the_graph_without_weights(bench, graph):
    matrix, people, items = bench.read_graph(graph)
    figures = bench.swap_round(matrix, people, items)
    assert figures["n_edges"] == matrix.nnz < matrix.sum()
    assert 0 < figures["share_kept"] < 1


@pytest.mark.parametrize("purchasing", ["cluster", "features", "habit"])
def test_generated_purchases_are_ten_a_person(bench, purchasing):
    assert bench.generate(purchasing, 200)["n_edges"] == 2000


def test_a_run_puts_processes_of_their_own_together(bench, monkeypatch):
    monkeypatch.setattr(bench, "TASKS", {"modularity": bench.TASKS["modularity"]})
    ran = bench.bench(90, 60, 900, timeout_sec=60)
    assert (ran["n_people"], ran["n_items"], ran["n_edges"]) == (90, 60, 900)
    assert ran["make_seconds"] > 0
    assert -1 < ran["modularity"]["modularity"] < 1


def test_a_task_that_fails_or_does_not_end_says_so(bench, tmp_path):
    failed = bench.in_own_process(["--task", "modularity", "--folder", str(tmp_path)], 60)
    assert "matrix.npz" in str(failed["failed"])
    late = bench.in_own_process(["--task", "modularity", "--folder", str(tmp_path)], 0.01)
    assert late == {"failed": "not finished after 0.01 s"}


def test_what_is_printed_is_json_of_all_sizes(bench, monkeypatch, capsys):
    monkeypatch.setattr(bench, "in_own_process", lambda arguments, timeout: arguments)
    monkeypatch.setattr(bench, "bench", lambda *size: {"size": size[:3]})
    arguments = ["--people", "1000", "--items", "100", "--edges", "5000000"]
    monkeypatch.setattr(sys, "argv", ["bipartite.py", *arguments])
    bench.main()
    printed = json.loads(capsys.readouterr().out)
    assert [run["size"] for run in printed["runs"]] == [[1000, 100, 5_000_000], [20, 2, 100_000]]
    assert printed["generate"].keys() == {"cluster", "features", "habit"}
