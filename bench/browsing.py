"""
What each representation of browsing costs, and the search by silhouettes beside scikit-learn's.

Users of the synthetic panel browse; the cost of a representation is the processor time (all cores)
from visits in sequences to a row a user, for every 1,000 users: features or sentences, their rows,
and their means by user. Representations that are not installed, and `endpoint`, whose cost is the
server's, are named as left out. The search takes every clustering that `choose` tries, once by
`silhouettes` and once by scikit-learn's `silhouette_score` from scratch for each, on the same
vectors; the values must be equal. Of the slow way a part of the candidates is measured where there
are many, evenly spread over them, and so it says. Prints JSON. A full run and a quick one:

    python bench/browsing.py
    python bench/browsing.py --users 60 --seeds 3
"""

import argparse
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
from sklearn.metrics import pairwise_distances, silhouette_score
from threadpoolctl import threadpool_limits

from cohortlab import browsing
from cohortlab.browsing.choice import SEARCHED, search_silhouettes
from cohortlab.synthetic.visit_log import generate_visit_log
from cohortlab.synthetic.visit_settings import VISIT_FAULTS

TYPE = {
    "visits": {"distribution": "geometric", "minimum": 1, "mean": 40, "maximum": 2000},
    "active_median_sec": 12,
    "active_spread": 1.0,
    "gap_median_sec": 4,
    "gap_spread": 1.5,
    "stay_probability": 0.4,
    "spread_hours": 2.2,
    "weekend_share": 0.25,
}
CATEGORIES = {
    "search": {"share": 0.3, "domains": 30, "portals": ["google.com"]},
    "social": {"share": 0.3, "domains": 60, "portals": ["facebook.com"]},
    "commerce": {"share": 0.2, "domains": 800, "portals": ["amazon.de"]},
    "news": {"share": 0.2, "domains": 500, "portals": ["spiegel.de"]},
}
SEED = 20261123


def make_visits(n_users: int, median: int) -> tuple[pd.DataFrame, dict[str, str]]:
    """Let users browse: their visits in sequences, and the categories of the domains."""
    types = {f"likes {name}": TYPE | {"share": 0.25, "peak_hour": 15} for name in CATEGORIES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate_visit_log(
            folder, folder / "truth", rng=np.random.default_rng(SEED), n_users=n_users, days=28,
            start="2018-10-01", gap_sec=3600, types=types, categories=CATEGORIES,
            records={"median": median, "mean": 2.2 * median, "maximum": 30 * median},
            relation_strength=0.6, preferences=None, domains_per_user=215,
            repertoire_exponent=0.05, popularity_exponent=1.0, individuality=0.05,
            faults=dict.fromkeys(VISIT_FAULTS, 0.0), chunk_users=200,
        )  # fmt: skip
        log = pd.read_csv(folder / "visits.csv", parse_dates=["used_at"])
        category = pd.read_parquet(folder / "truth" / "domains.parquet").set_index("domain")
        rows = pd.DataFrame(
            {
                "person_id": log["panelist_id"],
                "start_ms": log["used_at"].astype("datetime64[ms]").astype("int64"),
                "domain": log["domain"].str.replace(r"^(?:www|m|login)\.", "", regex=True),
                "active_ms": log["active_seconds"] * 1000,
            }
        )
        rows.to_parquet(folder / "rows.parquet")
        backend = ibis.duckdb.connect()
        sequences = browsing.make_sequences(backend.read_parquet(folder / "rows.parquet"))
        return sequences.to_pyarrow().to_pandas(), category["category"].to_dict()


def timed(work: Callable, *arguments, **options) -> tuple[object, float, float]:
    """Run something: what it gives, processor seconds of all cores, seconds by the clock."""
    begin, clock = time.process_time(), time.perf_counter()
    found = work(*arguments, **options)
    return found, time.process_time() - begin, time.perf_counter() - clock


def why_left_out(method: str) -> str:
    """Say why a representation cannot be measured here; empty where it can."""
    if method == "endpoint":
        return "the cost is the server's"
    installed = importlib.util.find_spec("sentence_transformers")
    return "not installed" if method == "sentence_transformer" and not installed else ""


def costs(visits: pd.DataFrame, categories: dict, n_users: int) -> dict:
    """Measure each representation, from sequences to a row a user."""
    told, *sentences_sec = timed(browsing.sentences, visits)
    features, *features_sec = timed(browsing.engineered_features, visits, categories=categories)
    people, found = told.index.get_level_values("person_id"), {}
    for method in browsing.REPRESENTATIONS:
        if reason := why_left_out(method):
            found[method] = {"left_out": reason}
            continue
        of_features = method in browsing.OF_FEATURES
        source, before = (features, features_sec) if of_features else (told, sentences_sec)
        matrix, *rows_sec = timed(browsing.represent, source, method=method)
        (_, vectors), *users_sec = timed(browsing.user_vectors, people, matrix)
        parts = {"read": before, "rows": rows_sec, "users": users_sec}
        per_thousand = 1000 / n_users
        found[method] = {
            "columns": vectors.shape[1],
            **{
                f"{name}_cpu_sec_per_1000_users": round(seconds[0] * per_thousand, 2)
                for name, seconds in parts.items()
            },
            "cpu_sec_per_1000_users": round(sum(s[0] for s in parts.values()) * per_thousand, 2),
            "sec_per_1000_users": round(sum(s[1] for s in parts.values()) * per_thousand, 2),
        }
    return found


def candidates(vectors, n_seeds: int) -> list[np.ndarray]:
    """List the clusterings that a choice tries, equal ones too."""
    seeds, k_values = np.random.SeedSequence(SEED).generate_state(n_seeds), range(3, 21)
    distances = pairwise_distances(vectors)
    return [
        labels
        for method in SEARCHED
        for _, _, labels in SEARCHED[method](vectors, distances, k_values, seeds)
    ]


def search(vectors, n_seeds: int, n_slow: int, repeats: int) -> dict:
    """Take the silhouettes of all candidates both ways, in turns, on one thread."""
    with threadpool_limits(1):
        labelings = candidates(vectors, n_seeds)
        chosen = np.unique(np.linspace(0, len(labelings) - 1, n_slow).astype(int))
        ours, theirs = [], []
        for _ in range(repeats):
            fast, seconds, _ = timed(
                lambda: search_silhouettes(pairwise_distances(vectors), labelings)[0]
            )
            slow, slow_seconds, _ = timed(
                lambda: [silhouette_score(vectors, labelings[i]) for i in chosen]
            )
            np.testing.assert_allclose(fast[chosen], slow, rtol=0, atol=1e-9)
            ours.append(seconds)
            theirs.append(slow_seconds * len(labelings) / len(chosen))
    ratios = np.array(theirs) / np.array(ours)
    return {
        "n_users": vectors.shape[0],
        "n_columns": vectors.shape[1],
        "n_candidates": len(labelings),
        "n_different": len({labels.tobytes() for labels in labelings}),
        "n_measured_of_scikit_learn": len(chosen),
        "largest_difference": float(np.abs(fast[chosen] - slow).max()),
        "cohortlab_cpu_sec": round(float(np.median(ours)), 3),
        "scikit_learn_cpu_sec": round(float(np.median(theirs)), 3),
        "median_ratio": round(float(np.median(ratios)), 1),
        "smallest_ratio": round(float(ratios.min()), 1),
    }


def main() -> None:
    """Read the command line, measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--median", type=int, default=1000, help="median records of a user")
    parser.add_argument("--seeds", type=int, default=20, help="starts of each k")
    parser.add_argument("--slow", type=int, default=60, help="candidates of the slow way")
    parser.add_argument("--repeats", type=int, default=3, help="rounds of the comparison")
    given = parser.parse_args()
    visits, categories = make_visits(given.users, given.median)
    people, told = visits["person_id"], browsing.sentences(visits)
    found = {
        "versions": {name: version(name) for name in ("numpy", "scikit-learn")},
        "n_users": given.users,
        "n_visits": len(people),
        "n_sequences": len(told),
        "representations": costs(visits, categories, given.users),
        "search": {},
    }
    for method in ("tfidf", "tfidf_svd"):
        matrix = browsing.represent(told, method=method)
        _, vectors = browsing.user_vectors(told.index.get_level_values("person_id"), matrix)
        found["search"][method] = search(vectors, given.seeds, given.slow, given.repeats)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
