"""
Customers by cohortlab beside plain pandas: features, segments and scoring, on growing logs.

The log is that of the study `customers` (or another, by `--log`) whose customers are drawn again,
with all their invoices and under new numbers, until there are 1, 10 and 50 times as many. Features
and segments are made from a CSV file of lines; scoring reads a CSV file of features, drawn again
and shuffled by column, and writes one of clusters. `pandas` is written as one writes it at first:
for features a function for each customer's lines; for segments a function for each customer's
scores; for scoring the leaves of scikit-learn's own forest, a row for each customer and tree,
merged with the shares of the clusters in each leaf, and summed by customer. Beside it `look_up` is
scoring as an expert writes it: no merge, but a loop over the trees that looks a matrix of shares
up, with all files read and written by pandas. What these ways write must be equal. `plane` is the
way of the analysis that the embedding comes from: the same leaves, put into UMAP's plane by its
`transform`, and the nearest centre there; its clusters are others, so it is timed and not compared,
and only up to `--plane-up-to` times. Each run is a process of its own, so that its peak memory is
its own; importing, and loading what is compiled, take place before the clock starts. Prints JSON:

    python bench/customers.py
    python bench/customers.py --sizes 1 10 --log results/customers/log/invoices.parquet
    python bench/customers.py --log ../shared/data/online_retail/data.csv.xz    a raw log
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

LOG = Path("results/customers/log/invoices.parquet")
COLUMNS = ["invoice_id", "stock_code", "quantity", "invoice_date", "unit_price", "customer_id"]
COLUMNS += ["country", "is_anonymous"]
INPUTS = ["recency_days", "quantity_of_products", "frequency", "returns"]
N_CLUSTERS, N_NEIGHBOURS = 11, 90
CHUNK = 10
MERGED = 20_000
SEED = 20261122


def clean_log(raw: Path, target: Path) -> Path:
    """Clean a raw log as the study does."""
    from cohortlab.sources import read_invoices

    log = read_invoices(str(raw), scratch=target.parent / "scratch")
    log.tables["invoices"].to_parquet(target)
    return target


def write_log(log: Path, target: Path, size: int) -> int:
    """Write the lines of so many times as many customers, drawn with replacement."""
    lines = pd.read_parquet(log, columns=COLUMNS).sort_values("customer_id", ignore_index=True)
    groups = list(lines.groupby("customer_id").indices.values())
    rng, written = np.random.default_rng(SEED), 0
    for start in range(0, size, CHUNK):
        copies = min(CHUNK, size - start)
        drawn = [groups[i] for i in rng.integers(len(groups), size=copies * len(groups))]
        numbers = np.repeat(np.arange(len(drawn)), [len(rows) for rows in drawn])
        part = lines.iloc[np.concatenate(drawn)].assign(
            customer_id=100_000 + start * len(groups) + numbers
        )
        part["invoice_id"] += "/" + part["customer_id"].astype(str)
        part = part.sample(frac=1, random_state=start)
        part.to_csv(target, index=False, mode="w" if start == 0 else "a", header=start == 0)
        written += len(part)
    return written


def our_features(folder: Path) -> None:
    """Aggregate by Ibis on DuckDB."""
    from cohortlab.features.invoices import customer_features

    customer_features(_invoices(folder)).to_parquet(folder / "features.ours.parquet")


def _invoices(folder: Path):
    from cohortlab.engine import connect

    types = {"invoice_id": "VARCHAR", "stock_code": "VARCHAR"}
    return connect(folder / "scratch").read_csv(str(folder / "log.csv"), types=types)


def _load_compiled(folder: Path) -> None:
    """Assign one customer, which loads (or, the first time, compiles) the walk through trees."""
    from cohortlab.score import load_bundle

    load_bundle(folder / "bundle", study="bench").assign(pd.DataFrame([dict.fromkeys(INPUTS, 0.0)]))


def _lines(folder: Path) -> pd.DataFrame:
    log = pd.read_csv(folder / "log.csv", dtype={"invoice_id": str, "stock_code": str})
    log["invoice_date"] = pd.to_datetime(log["invoice_date"])
    return log.assign(revenue=log["quantity"] * log["unit_price"])


def pandas_features(folder: Path) -> None:
    """Aggregate by groups, with functions for what is conditional."""
    log = _lines(folder)
    end = log.loc[log["quantity"] > 0, "invoice_date"].max()

    def describe(lines: pd.DataFrame) -> pd.Series:
        bought = lines[lines["quantity"] > 0]
        first, last = bought["invoice_date"].min(), bought["invoice_date"].max()
        days = (last - first).days if len(bought) else 0
        return pd.Series(
            {
                "gross_revenue": bought["revenue"].sum(),
                "recency_days": (end - last).days if len(bought) else None,
                "quantity_of_products": bought["quantity"].sum(),
                "frequency": bought["invoice_id"].nunique() / days if days else 0.0,
                "returns": lines.loc[lines["quantity"] < 0, "invoice_id"].nunique(),
            }
        )

    table = log.groupby("customer_id")[list(log)].apply(describe)
    table[table["recency_days"].notna()].reset_index().to_parquet(
        folder / "features.pandas.parquet"
    )


def _bundle(folder: Path):
    from cohortlab.embedding import Recipe, scaled_leaves
    from cohortlab.score import fit_bundle

    features = pd.read_parquet(folder / "fitted.parquet")
    sizes = {"n_trees": 100, "min_leaf": 20, "n_neighbours": N_NEIGHBOURS, "n_clusters": N_CLUSTERS}
    unused = {"metric": "hamming", "n_epochs": 200, "n_init": 1, "max_rows": 3000, "rfm": ()}
    recipe = Recipe("gross_revenue", tuple(INPUTS), scaling="none", **sizes, **unused)
    scaling, forest, _ = scaled_leaves(features, recipe, SEED)
    labels = pd.qcut(features["gross_revenue"], N_CLUSTERS, labels=False).to_numpy()
    names = {int(c): f"group {c}" for c in np.unique(labels)}
    options = {"study": "bench", "scaling": scaling, "forest": forest}
    return fit_bundle(features, labels, names, **options), features, labels


def our_scoring(folder: Path) -> None:
    """Load the bundle, and assign the file in parts."""
    from cohortlab.score import load_bundle
    from cohortlab.score.stream import score_file

    bundle = load_bundle(folder / "bundle", study="bench")
    score_file(bundle, folder / "new.csv", folder / "scoring.ours.csv")


def _scaled(folder: Path):
    import joblib

    model, low, high, tables = joblib.load(folder / "model.joblib")
    new = pd.read_csv(folder / "new.csv")
    return new, model.apply(((new[INPUTS] - low) / (high - low)).to_numpy()), tables


def _load_plane(folder: Path) -> None:
    """Put a few customers into the plane, which compiles what that needs."""
    import joblib

    plane, _ = joblib.load(folder / "plane.joblib")
    plane.transform(plane._raw_data[:5])


def plane_scoring(folder: Path) -> None:
    """Read all, put every customer's leaves into UMAP's plane, and take the nearest centre."""
    import joblib

    new, leaves, _ = _scaled(folder)
    plane, centres = joblib.load(folder / "plane.joblib")
    found = centres.predict(plane.transform(leaves).astype(float))
    new[["customer_id"]].assign(cluster=found).to_csv(folder / "scoring.plane.csv", index=False)


def _write_votes(new: pd.DataFrame, votes: pd.DataFrame, target: Path) -> None:
    best = {"cluster": votes.idxmax(axis=1), "probability": votes.max(axis=1)}
    new[["customer_id"]].assign(**best).to_csv(target, index=False)


def pandas_scoring(folder: Path) -> None:
    """Read all, and join every customer's leaves with the shares of the clusters in each."""
    new, leaves, tables = _scaled(folder)
    shares = pd.concat(dict(enumerate(tables)), names=["tree", "leaf"]).reset_index()
    votes = []
    # All rows of all trees at once would need a gigabyte for each ten thousand customers.
    for start in range(0, len(new), MERGED):
        part = pd.DataFrame(leaves[start : start + MERGED]).rename_axis("row").reset_index()
        long = part.melt("row", var_name="tree", value_name="leaf").astype({"tree": "int64"})
        joined = long.merge(shares, on=["tree", "leaf"], validate="many_to_one")
        votes.append(joined.drop(columns=["tree", "leaf"]).groupby("row").sum())
    _write_votes(
        new, pd.concat(votes, ignore_index=True) / len(tables), folder / "scoring.pandas.csv"
    )


def look_up_scoring(folder: Path) -> None:
    """Read all, and look the shares of the leaves up, tree by tree."""
    new, leaves, tables = _scaled(folder)
    leaves = pd.DataFrame(leaves)
    votes = sum(tables[tree].loc[leaves[tree]].to_numpy() for tree in leaves) / len(tables)
    votes = pd.DataFrame(votes, columns=tables[0].columns)
    _write_votes(new, votes, folder / "scoring.look_up.csv")


def _plane(leaves: np.ndarray):
    import umap
    from sklearn.cluster import KMeans

    options = {"n_neighbors": N_NEIGHBOURS, "metric": "hamming", "random_state": SEED, "n_jobs": 1}
    plane = umap.UMAP(**options).fit(leaves)
    centres = KMeans(N_CLUSTERS, random_state=SEED).fit(plane.embedding_.astype(float))
    return plane, centres


def prepare_scoring(folder: Path, features: Path, size: int, *, with_plane: bool) -> int:
    """Fit every way once, and write features of resampled customers, each a little different."""
    import joblib
    from sklearn.ensemble import RandomForestRegressor

    from cohortlab.score import save_bundle

    pd.read_parquet(features).to_parquet(folder / "fitted.parquet")
    bundle, fitted, labels = _bundle(folder)
    (folder / "bundle").mkdir(exist_ok=True)
    save_bundle(bundle, folder / "bundle")
    low, high = fitted[INPUTS].min(), fitted[INPUTS].max()
    scaled = ((fitted[INPUTS] - low) / (high - low)).to_numpy()
    money = fitted["gross_revenue"]
    target = ((money - money.min()) / (money.max() - money.min())).to_numpy()
    model = RandomForestRegressor(100, min_samples_leaf=20, random_state=SEED).fit(scaled, target)
    leaves = model.apply(scaled)
    tables = [pd.crosstab(leaves[:, t], labels, normalize="index") for t in range(leaves.shape[1])]
    joblib.dump((model, low, high, tables), folder / "model.joblib")
    if with_plane:
        joblib.dump(_plane(leaves), folder / "plane.joblib")
    new = fitted.sample(size * len(fitted), replace=True, random_state=SEED, ignore_index=True)
    new["customer_id"] = np.arange(len(new))
    rng = np.random.default_rng(SEED)
    for name in INPUTS:
        new[name] = new[name].to_numpy()[rng.permutation(len(new))]
    new.to_csv(folder / "new.csv", index=False)
    return len(new)


def write_block(target: Path) -> None:
    """Write the segments of the study, because reading all parameters is no part of the task."""
    from cohortlab.run.project import project_root, read_params

    block = read_params(project_root())["studies"]["customers"]["segments"]["segments"]
    target.write_text(json.dumps(block), "utf-8")


def _block(folder: Path) -> dict:
    return json.loads((folder / "segments.json").read_text("utf-8"))


def our_segments(folder: Path) -> None:
    """Score by quintiles of recency, frequency and money, and look the segments up."""
    from cohortlab import segments

    rfm = segments.rfm_table(_invoices(folder))
    fitted = segments.Segmentation(segments.fit_scores(rfm), _block(folder))
    fitted.assign(rfm).reset_index().to_parquet(folder / "segments.ours.parquet")


def pandas_segments(folder: Path) -> None:
    """Aggregate by groups, and try the segments one by one for each customer."""
    log = _lines(folder)
    bought = log[log["quantity"] > 0]
    groups = bought.groupby("customer_id")
    away = bought["invoice_date"].max() - groups["invoice_date"].max()
    table = pd.DataFrame(
        {
            "recency": -(away.dt.days + 1),
            "frequency": groups["invoice_id"].nunique(),
            "monetary": groups["revenue"].sum(),
        }
    )
    cuts = {m: np.quantile(table[m], [0.2, 0.4, 0.6, 0.8], method="inverted_cdf") for m in table}
    block = _block(folder)

    def name(customer: pd.Series) -> str:
        scores = {m: 1 + sum(customer[m] > cut for cut in cuts[m]) for m in cuts}
        for segment, box in block.items():
            if all(box[m][0] <= scores[m] <= box[m][1] for m in cuts if m in box):
                return segment
        raise ValueError(f"no segment has the scores {scores}")

    named = table.apply(name, axis=1).rename("segment")
    named.reset_index().to_parquet(folder / "segments.pandas.parquet")


#: What each way imports, and loads that is compiled, which is no part of the measured time.
IMPORTS = {
    "ours": ["ibis.backends.duckdb", "cohortlab.segments", "cohortlab.score.stream"],
    "pandas": ["joblib", "sklearn.ensemble"],
    "look_up": ["joblib", "sklearn.ensemble"],
    "plane": ["joblib", "sklearn.ensemble", "umap"],
}
COMPILED = {("scoring", "ours"): _load_compiled, ("scoring", "plane"): _load_plane}
WAYS = {
    "features": {"ours": our_features, "pandas": pandas_features},
    "scoring": {
        "ours": our_scoring,
        "pandas": pandas_scoring,
        "look_up": look_up_scoring,
        "plane": plane_scoring,
    },
    "segments": {"ours": our_segments, "pandas": pandas_segments},
}


def measure_here(task: str, way: str, folder: Path) -> dict[str, float]:
    """Run one way in this process: time, processor time, and peak memory."""
    for module in IMPORTS[way]:
        importlib.import_module(module)
    if (task, way) in COMPILED:
        COMPILED[task, way](folder)
    began, began_cpu = time.perf_counter(), time.process_time()
    WAYS[task][way](folder)
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    # Of this process alone: what getrusage says is inherited from the process that started it.
    status = Path("/proc/self/status").read_text()
    peak = 1024 * int(status.split("VmHWM:")[1].split()[0])
    values = {"seconds": seconds, "processor_seconds": cpu, "peak_gb": peak / 1e9}
    return {name: round(value, 2) for name, value in values.items()}


def measure(task: str, way: str, folder: Path) -> dict:
    """Run one way in a process of its own."""
    command = [sys.executable, __file__, "--one", task, way, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"{done.returncode}"])[-1]}
    return json.loads(done.stdout)


def check_equal(task: str, ways: list[str], folder: Path) -> None:
    """Demand that all ways wrote the same."""
    read, ending = (pd.read_csv, "csv") if task == "scoring" else (pd.read_parquet, "parquet")
    ours, *others = (read(folder / f"{task}.{way}.{ending}") for way in ways)
    for other in others:
        options = {"check_dtype": False, "rtol": 1e-9}
        pd.testing.assert_frame_equal(ours[list(other)], other, **options)


def compare(task: str, folder: Path, ways: list[str]) -> dict:
    """Compare some ways of one task on what the folder holds."""
    ways = [way for way in WAYS[task] if way in ways]
    found = {way: measure(task, way, folder) for way in ways}
    failed = {way: f["failed"] for way, f in found.items() if "failed" in f}
    if failed:
        raise RuntimeError(f"{task}: a way did not finish: {failed}")
    # A place in the plane is another question than a vote of the leaves.
    check_equal(task, [way for way in ways if way != "plane"], folder)
    for way in ways[1:]:
        for unit in ("seconds", "processor_seconds"):
            ratio = found[way][unit] / max(found["ours"][unit], 0.01)
            found[f"{way} / ours, {unit}"] = round(ratio, 1)
    return found


def measure_sizes(log: Path, options: argparse.Namespace) -> dict:
    """Compare the ways of every task on every size of the log."""
    results = {}
    for size in options.sizes:
        ways = ["ours"] + ["pandas", "look_up"] * (size <= options.pandas_up_to)
        ways += ["plane"] * (size <= options.plane_up_to)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            found = {"lines": write_log(log, folder / "log.csv", size)}
            write_block(folder / "segments.json")
            found["features"] = compare("features", folder, ways)
            if size == options.sizes[0]:
                fitted = pd.read_parquet(folder / "features.ours.parquet")
            fitted.to_parquet(folder / "one.parquet")
            found["customers"] = prepare_scoring(
                folder, folder / "one.parquet", size, with_plane="plane" in ways
            )
            found["scoring"] = compare("scoring", folder, ways)
            found["segments"] = compare("segments", folder, ways)
            results[f"{size} times"] = found
    return results


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, default=LOG, help="invoices: cleaned (Parquet), or raw")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 50], help="times the log")
    parser.add_argument("--pandas-up-to", type=int, default=10, help="largest size for pandas")
    parser.add_argument("--plane-up-to", type=int, default=1, help="largest size for the plane")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        task, way, folder = options.one
        print(json.dumps(measure_here(task, way, Path(folder))))
        return
    with tempfile.TemporaryDirectory() as name:
        log = options.log
        if log.suffix != ".parquet":
            log = clean_log(log, Path(name) / "invoices.parquet")
        results = measure_sizes(log, options)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
