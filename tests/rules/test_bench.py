"""The benchmark runs as its head says, and its tables can be made of what it prints."""

import json
import runpy
import subprocess
import sys

import pytest
from conftest import REPOSITORY

BENCH = str(REPOSITORY / "bench" / "rules.py")


def bench(*arguments):
    command = [sys.executable, BENCH, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def quick():
    return json.loads(bench("--quick", "--skip", "apriori"))


def test_a_quick_run_measures_time_memory_and_growth(quick):
    assert [case["file"] for case in quick["cases"]] == ["dense"]
    for case in quick["cases"]:
        assert case["cohortlab"]["itemsets"] == case["mlxtend_fpgrowth"]["itemsets"] > 20
        assert case["times_faster_than_mlxtend_cpu_seconds"] > 0
    assert {row["growing"] for row in quick["growth"]} == {"baskets", "items", "support"}
    for figures in [*(case["cohortlab"] for case in quick["cases"]), *quick["growth"]]:
        assert min(figures[name] for name in ("seconds", "cpu_seconds", "peak_mib")) > 0


def test_the_tables_hold_a_row_for_each_case(quick, tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(quick))
    tables = bench("--table", path).strip().split("\n\n")
    told = tables.pop(1).splitlines()
    assert told == [f"- {verdict}" for verdict in quick["verdicts"]]
    assert all("reached" in line.lower() or "not measured" in line for line in told)
    assert [table.count("\n") - 1 for table in tables] == [1, len(quick["growth"])]
    assert all(row.count("|") == 9 for table in tables for row in table.splitlines())


def test_every_aim_has_a_verdict_at_the_end(quick):
    assert list(quick)[-1] == "verdicts"
    assert len(quick["verdicts"]) == 5 * len(quick["cases"])
    assert sum("MiB at the peak" in told and ", reached" in told for told in quick["verdicts"]) == 1


@pytest.mark.parametrize(
    ("speed", "ratio", "peak", "words"),
    [
        (10.0, 2.0, 1023, ["10, reached", "2, reached", "1023, reached"]),
        (9.9, 2.01, 1024, ["9.9, NOT REACHED", "2.01, NOT REACHED", "1024, NOT REACHED"]),
        (50.0, None, 300, ["50, reached", "not measured", "300, reached"]),
    ],
)
def test_verdicts_stand_on_the_right_side_of_each_aim(speed, ratio, peak, words):
    case = {"file": "dense", "support": 0.5, "cohortlab": {"peak_mib": peak}}
    case["times_faster_than_mlxtend_seconds"] = speed
    if ratio is not None:
        case["cohortlab_over_best_pyfim_seconds"] = ratio
    told = runpy.run_path(BENCH)["verdicts"]([case])
    assert [word in told[place] for place, word in zip((0, 2, 4), words, strict=True)] == [True] * 3
