"""Assign customers to the clusters of a study: `python -m cohortlab.score STUDY INPUT OUTPUT`."""

import argparse
import logging
import sys
from pathlib import Path

from cohortlab.run.project import project_root
from cohortlab.score.storage import load_bundle
from cohortlab.score.stream import score_file

logger = logging.getLogger("cohortlab")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        0 where the output was written, 2 where the bundle or the input was refused.
    """
    parser = argparse.ArgumentParser(prog="python -m cohortlab.score", description=__doc__)
    parser.add_argument("study", help="whose clusters, for instance `customers`")
    parser.add_argument("input", type=Path, help="features of customers: .csv, .csv.gz, .parquet")
    parser.add_argument("output", type=Path, help="where their clusters go: .csv or .parquet")
    parser.add_argument("--bundle", type=Path, help="instead of results/STUDY/bundle")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        folder = options.bundle or project_root() / "results" / options.study / "bundle"
        bundle = load_bundle(folder, study=options.study)
        totals = score_file(bundle, options.input, options.output)
    except (ValueError, FileNotFoundError) as error:
        logger.error("%s", error)
        return 2
    logger.info(
        "%(rows)d customers: %(assigned)d assigned (%(outside)d with a value outside of what was "
        "seen while fitting), %(not_assigned)d not, because a value is missing",
        totals,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
