"""The report site, and a file for each study to hand in: `python -m cohortlab.report`.

Nothing is executed here: pages are made from executed notebooks, `docs/`, the comments of
`params.yaml`, the schemas and the docstrings.
"""

from cohortlab.report.handin import handin_page, report_settings
from cohortlab.report.parameters import Entry, parameter_page, read_entries
from cohortlab.report.studies import Study, read_studies

__all__ = [
    "Entry",
    "Study",
    "handin_page",
    "parameter_page",
    "read_entries",
    "read_studies",
    "report_settings",
]
