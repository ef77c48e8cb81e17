"""The data dictionary: every table and column in Markdown, made from the schemas.

`python -m cohortlab.dictionary` writes `docs/tables.md`; a test holds it equal to the schemas.
"""

import sys

from cohortlab.browsing.engineered import GROUPS
from cohortlab.run.project import project_root
from cohortlab.schemas import OPEN, TABLES, Column

PLACES = {
    "events": "log/events.parquet",
    "item_properties": "log/item_properties.parquet",
    "category_tree": "log/category_tree.parquet",
    "invoices": "log/invoices.parquet",
    "basket_rows": "log/baskets.parquet",
    "item_levels": "log/items.parquet (kind of log: baskets)",
    "people": "log/people.parquet",
    "goods": "log/items.parquet (kind of log: populations)",
    "purchases": "log/purchases.parquet",
    "visits": "log/visits.parquet",
    "flows": "log/flows.parquet",
    "pictures": "log/pictures.parquet",
    "pixels": "log/pixels.parquet",
    "session_features": "features.parquet (kind of log: events)",
    "session_attributes": "attributes.parquet (kind of log: events)",
    "customer_features": "features.parquet (kind of log: invoices)",
    "customer_attributes": "attributes.parquet (kind of log: invoices)",
    "basket_features": "features.parquet (kind of log: baskets)",
    "basket_attributes": "attributes.parquet (kind of log: baskets)",
    "user_features": "features.parquet (kind of log: visits)",
    "user_attributes": "attributes.parquet (kind of log: visits)",
    "flow_features": "features.parquet (kind of log: flows)",
    "flow_attributes": "attributes.parquet (kind of log: flows)",
    "flow_scores": "scores.parquet",
    "alerts": "alerts.csv, and alerts.jsonl, which lists features and main reasons",
    "user_clusters": "clusters.parquet (study: browsing)",
    "descriptions": "descriptions.csv",
    "colour_features": "features.parquet (kind of log: pictures)",
    "colour_attributes": "attributes.parquet (kind of log: pictures)",
    "person_features": "features.parquet (kind of log: populations)",
    "person_attributes": "attributes.parquet (kind of log: populations)",
    "published_customers": "export/customers.csv, and the database's table published_customers",
}
SEQUENCES = "sequence_features"
PLACES[SEQUENCES] = "features of a browsing sequence: sequence_features.parquet"
HEAD = """# Tables

What the steps hand to each other, under `results/<study>/`. This page is made from the schemas that
check every table when it is written (`python -m cohortlab.dictionary`).

Beside them stand metrics and series in plain text: `data.json` (rows read, kept and rejected by
table, with reasons), `features.json`, `mixture.json` (the choice and its certificate), `bic.csv`
(one row for each covariance model and number of components), `clusters.json`, `profiles.csv` (one
row a cluster: size, share, and mean, median and z-score of every feature), `rules.json`,
`rules.csv` (rules as found: mlxtend's columns and the counts behind them; `scope` is `all` or
`chosen`), `confirmed.csv` (rules found on some baskets and judged on others; `scope` may be
`levels`, with categories above the items), `contrast.csv` (rules inside and outside the chosen
clusters), `rules.dot`, `rules.svg`, `bipartite.json`, `relations.dot`, `relations.svg`,
`truth.json`, and `publish.json` (control totals of what was published; the tables of the database
are on the page about [publishing](publishing.md)). Of the embedding: `embedding.json` (routes
side by side; under `plane` what comes from the drawn plane) and the folder `bundle` (all that
[assigning new customers](scoring.md) needs). Of the segments: `segments.json`,
`segment_summary.csv` (one row a segment: size, share, revenue, means, action), `migration.csv`
(segments before down, after across), and `segmentation.json` (edges of the scores, intervals of
the segments, and the rules that name clusters: all that assigning a new customer needs).

The study `populations` adds `lesson.csv` (one row an algorithm, overlap and trial), `recovered.csv`
(how much of the planted matrix came back, by strength), `lesson.dot`, `lesson.svg`, `lesson.json`,
`phases.csv` (means of `score` with their intervals, by condition and algorithm),
`leaderboard.csv`, `advice.csv` (the best algorithm by overlap, strength and density),
`laboratory.json` and `fooled.csv` (one row a mistake: what was measured the wrong way and the
right way).

The study `browsing` adds `sequences.json`, `representations.csv` (silhouettes of the true users by
representation, and what is chosen by each), `candidates.csv` (one row a method and number of
clusters), `represent.json`, `descriptions.html` (the table `descriptions.csv` as a page, everything
escaped), `interpret.json` and `limits.csv` (what is found where users are harder to tell).

The study `traffic` adds `detectors.csv` (one row a detector: share flagged and expected, threshold,
warnings), `detection.csv` (how well each detector finds what was planted), `recall.csv` (share of
each attack that each detector flags), `anomalies.json` and the folder `bundle` (all that
[scoring new flows](scoring.md#new-flows) needs).

The study `palette` adds `quantised.csv` (one row a picture, method and number of colours: bytes,
those of the original and their ratio, PSNR, SSIM, colour differences), `enough.csv` (how few of the
colours tried are enough for each picture), `numbers.csv` (how many colours a picture is taken to be
made of), `quantise.json` and the folder `quantised` (palette PNG files,
`<picture>-<colours>.png`).
"""


def dictionary() -> str:
    """Write the data dictionary.

    Returns
    -------
    str
        A Markdown page: a section a table, a row a column.
    """
    tables = TABLES | {SEQUENCES: _of_sequences()}
    return HEAD + "".join(_section(name, columns) for name, columns in tables.items())


def _of_sequences() -> tuple[Column, ...]:
    return (
        Column("person_id", "id", "who"),
        Column("sequence_number", "integer", "number of the sequence, from 1 in the order of time"),
        *(
            Column(name, "number", f"{group}: {meaning}")
            for group, meanings in GROUPS.items()
            for name, meaning in meanings.items()
        ),
    )


def _section(name: str, columns: tuple[Column, ...]) -> str:
    title = PLACES.get(name, f"{name}.parquet")
    rows = "".join(f"| `{c.name}` | {c.kind} | {_meaning(c)} |\n" for c in columns)
    rows += "| and others | number or text | the features, as they are called |\n" * (name in OPEN)
    return f"\n## {title}\n\n| column | kind | meaning |\n|---|---|---|\n{rows}"


def _meaning(column: Column) -> str:
    notes = [
        note
        for flag, note in (
            (column.unique, "each value once"),
            (column.nullable, "may be missing"),
            (column.optional, "absent where the log cannot say"),
        )
        if flag
    ]
    return f"{column.description} ({', '.join(notes)})" if notes else column.description


def main() -> int:
    """Write `docs/tables.md`.

    Returns
    -------
    int
        0.
    """
    (project_root() / "docs" / "tables.md").write_text(dictionary(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
