"""New rows by what was fitted: the bundle that is kept, files in parts, and ids that stay."""

from cohortlab.score.bundle import Bundle, fit_bundle
from cohortlab.score.matching import keep_ids
from cohortlab.score.storage import BundleError, load_bundle, save_bundle

__all__ = ["Bundle", "BundleError", "fit_bundle", "keep_ids", "load_bundle", "save_bundle"]
