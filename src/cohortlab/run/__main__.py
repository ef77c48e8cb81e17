"""Run one step of one study: `python -m cohortlab.run STEP STUDY`, the command of every stage."""

import argparse
import logging
import sys

from cohortlab.run.project import project_root
from cohortlab.run.warm import end_in_order, start_warm

logger = logging.getLogger("cohortlab")


def main(arguments: list[str]) -> int:
    """Run the command line, in a warm process where there is one to be had.

    Parameters
    ----------
    arguments : list of str
        The arguments.

    Returns
    -------
    int
        0 where the step came to its end, 1 where a cell failed, 2 where it could not start, or not
        write what it had made.
    """
    status = start_warm("step", arguments)
    return run(arguments) if status is None else status


def run(arguments: list[str]) -> int:
    """Run the command line in this process.

    Parameters
    ----------
    arguments : list of str
        The arguments.

    Returns
    -------
    int
        As `main`.
    """
    parser = argparse.ArgumentParser(prog="python -m cohortlab.run", description=__doc__)
    parser.add_argument("step", help="the step's name, for instance `mixture`")
    parser.add_argument("study", help="the study's name, a block under `studies` in params.yaml")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s")
    # Reading a notebook imports jsonschema, which builds a grammar of international addresses if it
    # finds this package: two seconds of every stage, for a check that no notebook needs.
    sys.modules.setdefault("rfc3987_syntax", None)
    from cohortlab.run.parameters import ParameterError
    from cohortlab.run.steps import StepError, run_step

    try:
        run_step(options.step, options.study, project_root())
    except StepError as error:
        logger.error("%s", error)
        return 1
    except (ParameterError, OSError) as error:
        logger.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    end_in_order()
    sys.exit(main(sys.argv[1:]))
