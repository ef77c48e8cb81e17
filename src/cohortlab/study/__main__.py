"""Add a study from an example, or take it out: `python -m cohortlab.study add EXAMPLE`."""

import argparse
import logging
import sys
from pathlib import Path

from cohortlab.run.parameters import ParameterError
from cohortlab.run.project import project_root
from cohortlab.study.params_file import add_study, remove_study

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
        0 where the study is as it was asked for, 2 where it could not be.
    """
    parser = argparse.ArgumentParser(prog="python -m cohortlab.study", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add", help="write the study of an example into params.yaml")
    adding.add_argument("example", type=Path, help="for instance examples/groceries.yaml")
    adding.add_argument("--path", metavar="FOLDER", help="where the files lie, if not as it says")
    removing = commands.add_parser("remove", help="take an added study out of params.yaml")
    removing.add_argument("study", help="the study's name")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        if options.command == "add":
            done = add_study(project_root(), options.example, folder=options.path)
        else:
            done = remove_study(project_root(), options.study)
    except (ParameterError, FileNotFoundError) as error:
        logger.error("%s", error)
        return 2
    logger.info("%s", done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
