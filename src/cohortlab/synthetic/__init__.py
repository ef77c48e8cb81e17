"""Synthetic logs with a known truth, in the file forms of real ones."""

from cohortlab.synthetic.basket_log import generate_basket_log
from cohortlab.synthetic.co_purchases import Pairs, PlantedPairs, plant_pairs, resolve_pairs
from cohortlab.synthetic.event_log import generate_event_log
from cohortlab.synthetic.flow_log import generate_flow_log
from cohortlab.synthetic.invoice_log import generate_invoice_log
from cohortlab.synthetic.picture_log import generate_pictures
from cohortlab.synthetic.population_log import generate_population_log
from cohortlab.synthetic.relations import (
    draw_columns,
    draw_within,
    relation_matrix,
    relation_table,
    stacked_cumulative,
)
from cohortlab.synthetic.visit_log import generate_visit_log

__all__ = [
    "GENERATORS",
    "Pairs",
    "PlantedPairs",
    "draw_columns",
    "draw_within",
    "generate_basket_log",
    "generate_event_log",
    "generate_flow_log",
    "generate_invoice_log",
    "generate_pictures",
    "generate_population_log",
    "generate_visit_log",
    "plant_pairs",
    "relation_matrix",
    "relation_table",
    "resolve_pairs",
    "stacked_cumulative",
]

# The generator of each kind of log.
GENERATORS = {
    "events": generate_event_log,
    "invoices": generate_invoice_log,
    "baskets": generate_basket_log,
    "populations": generate_population_log,
    "visits": generate_visit_log,
    "flows": generate_flow_log,
    "pictures": generate_pictures,
}
