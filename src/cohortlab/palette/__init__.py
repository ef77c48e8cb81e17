"""Pictures in few colours: weighted k-means on distinct colours, dithering, files and measures."""

from cohortlab.palette.advice import advise, compare_methods, enough_colours, wins
from cohortlab.palette.comparison import by_all_methods, matched_palettes, pictures_of
from cohortlab.palette.distinct import Distinct, distinct_colours
from cohortlab.palette.files import palette_png, plain_png, read_palette_png
from cohortlab.palette.kmeans import weighted_kmeans
from cohortlab.palette.measures import delta_e, measure, shown
from cohortlab.palette.number import Number, number_of_colours
from cohortlab.palette.points import SPACES, to_colours, to_points
from cohortlab.palette.quantising import (
    PEERS,
    Quantised,
    available_peers,
    quantise,
    quantise_by_peer,
)

__all__ = [
    "PEERS",
    "SPACES",
    "Distinct",
    "Number",
    "Quantised",
    "advise",
    "available_peers",
    "by_all_methods",
    "compare_methods",
    "delta_e",
    "distinct_colours",
    "enough_colours",
    "matched_palettes",
    "measure",
    "number_of_colours",
    "palette_png",
    "pictures_of",
    "plain_png",
    "quantise",
    "quantise_by_peer",
    "read_palette_png",
    "shown",
    "to_colours",
    "to_points",
    "weighted_kmeans",
    "wins",
]
