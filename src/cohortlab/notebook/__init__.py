"""What every notebook uses: its results, its seeds, and how it looks."""

from cohortlab.notebook.look import (
    counted,
    escape_markdown,
    hint,
    say,
    setup,
    show_table,
    show_versions,
    terminal,
    thousands,
)
from cohortlab.notebook.results import Results
from cohortlab.notebook.seeds import derive_rng, derive_seed

__all__ = [
    "Results",
    "counted",
    "derive_rng",
    "derive_seed",
    "escape_markdown",
    "hint",
    "say",
    "setup",
    "show_table",
    "show_versions",
    "terminal",
    "thousands",
]
