"""Small settings and readers that do not use the code under test."""

import copy

import numpy as np
import pytest

CONSTANT = {"distribution": "constant", "minimum": 1, "mean": 1, "maximum": 1}

SESSION_TYPE = {
    "share": 0.5,
    "views": CONSTANT,
    "gap_median_sec": 60,
    "gap_spread": 1.0,
    "stay_probability": 0.2,
    "return_probability": 0.2,
    "cart_probability": 0.0,
    "cart_required": False,
    "buy_probability": 0.0,
    "peak_hour": 20,
    "spread_hours": 3,
    "weekend_share": 0.3,
}
SESSION_SETTINGS = {
    "n_visitors": 1500,
    "days": 30,
    "start": "2015-05-03",
    "session_gap_sec": 1800,
    "sessions_per_visitor": {"exponent": 1.8, "maximum": 40},
    "types": {
        "glance": SESSION_TYPE,
        "research": SESSION_TYPE
        | {
            "share": 0.3,
            "views": {"distribution": "geometric", "minimum": 2, "mean": 9, "maximum": 60},
            "gap_median_sec": 400,
            "peak_hour": 9,
            "spread_hours": 1,
            "weekend_share": 0.1,
        },
        "buyer": SESSION_TYPE
        | {
            "share": 0.2,
            "views": {"distribution": "poisson", "minimum": 2, "mean": 5, "maximum": 40},
            "cart_probability": 0.6,
            "cart_required": True,
            "buy_probability": 1.0,
        },
    },
    "groups": {
        "garden": {"share": 0.5, "categories": 4, "items": 40},
        "kitchen": {"share": 0.3, "categories": 3, "items": 50},
        "toys": {"share": 0.2, "categories": 2, "items": 11},
    },
    "relation_strength": 0.6,
    "preferences": {"glance": "garden", "research": "toys", "buyer": "kitchen"},
    "pairs": [
        {"antecedent": "kitchen/1", "consequent": "kitchen/2", "probability": 0.7},
        {"antecedent": "garden/1", "consequent": "garden/2", "probability": 0.4},
    ],
    "popularity_exponent": 0.8,
    "robots": {
        "share": 0.001,
        "views": {"distribution": "poisson", "minimum": 500, "mean": 600, "maximum": 900},
        "gap_median_sec": 3,
    },
    "properties": {
        "available_share": 0.8,
        "changes": 2.0,
        "moved_share": 0.3,
        "late_share": 0.1,
        "noise": 1.0,
    },
    "faults": {
        "missing_visitor": 0.01,
        "missing_item": 0.011,
        "unknown_event": 0.012,
        "unreadable_timestamp": 0.013,
        "repeated": 0.014,
        "transaction_without_id": 0.1,
        "malformed_line": 0.015,
    },
    "chunk_visitors": 20_000,
}

CUSTOMER_TYPE = {
    "share": 0.4,
    "invoices": CONSTANT,
    "lines": {"distribution": "geometric", "minimum": 1, "mean": 4, "maximum": 20},
    "quantity_median": 4,
    "quantity_spread": 0.5,
    "price_level": 1.0,
    "active_from": 0.0,
    "active_to": 1.0,
    "return_probability": 0.1,
}
CUSTOMER_SETTINGS = {
    "n_customers": 600,
    "days": 300,
    "start": "2010-12-01",
    "types": {
        "one_off": CUSTOMER_TYPE,
        "loyal": CUSTOMER_TYPE
        | {
            "invoices": {"distribution": "poisson", "minimum": 2, "mean": 6, "maximum": 30},
            "lines": {"distribution": "poisson", "minimum": 1, "mean": 8, "maximum": 20},
            "quantity_median": 20,
        },
        "lapsed": CUSTOMER_TYPE
        | {
            "share": 0.2,
            "invoices": {"distribution": "poisson", "minimum": 1, "mean": 3, "maximum": 30},
            "active_to": 0.25,
        },
    },
    "groups": {
        "kitchen": {"share": 0.5, "products": 40, "price_median": 2.5, "price_spread": 0.6},
        "garden": {"share": 0.3, "products": 30, "price_median": 4.0, "price_spread": 0.6},
        "toys": {"share": 0.2, "products": 20, "price_median": 1.0, "price_spread": 0.6},
    },
    "relation_strength": 0.6,
    "preferences": {"one_off": "toys", "loyal": "kitchen", "lapsed": "garden"},
    "pairs": [
        {"antecedent": "kitchen/1", "consequent": "kitchen/2", "probability": 0.7},
        {"antecedent": "garden/1", "consequent": "garden/3", "probability": 0.3},
    ],
    "popularity_exponent": 0.8,
    "countries": {"United Kingdom": 0.9, "France": 0.1},
    "faults": {
        "missing_customer": 0.05,
        "only_returned": 0.03,
        "missing_description": 0.01,
        "letter_code": 0.05,
        "odd_country": 0.011,
        "tiny_price": 0.012,
        "repeated": 0.013,
        "unreadable_date": 0.014,
        "unreadable_number": 0.015,
        "malformed_line": 0.016,
    },
    "chunk_customers": 5000,
}


@pytest.fixture
def session_settings():
    return copy.deepcopy(SESSION_SETTINGS)


@pytest.fixture
def customer_settings():
    return copy.deepcopy(CUSTOMER_SETTINGS)


@pytest.fixture
def rng():
    return np.random.default_rng(20150503)
