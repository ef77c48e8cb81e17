"""What changed between two revisions, on one page: parameters, metrics, tables, figures, cells."""

from cohortlab.review.changes import Review, review
from cohortlab.review.page import to_page
from cohortlab.review.snapshots import Snapshot
from cohortlab.review.summary import to_markdown

__all__ = ["Review", "Snapshot", "review", "to_markdown", "to_page"]
