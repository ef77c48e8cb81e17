"""Anomalies among network flows: detectors under one interface, alerts, and a check of both."""

from cohortlab.anomalies.alerts import json_lines, make_alerts
from cohortlab.anomalies.calibration import severities, tail_shares, threshold_for
from cohortlab.anomalies.dbscan import Dbscan, dbscan
from cohortlab.anomalies.detectors import DETECTORS, Trained, train
from cohortlab.anomalies.explaining import Difference, differences
from cohortlab.anomalies.judging import (
    days_of,
    missed_attacks,
    quality,
    recall_by_label,
    warnings_of,
)
from cohortlab.anomalies.preparation import CURVES, Preparation, learn_preparation
from cohortlab.anomalies.quiet import on_quiet_flows
from cohortlab.anomalies.scorers import SCORERS, Scorer, in_pieces

__all__ = [
    "CURVES",
    "DETECTORS",
    "SCORERS",
    "Dbscan",
    "Difference",
    "Preparation",
    "Scorer",
    "Trained",
    "days_of",
    "dbscan",
    "differences",
    "in_pieces",
    "json_lines",
    "learn_preparation",
    "make_alerts",
    "missed_attacks",
    "on_quiet_flows",
    "quality",
    "recall_by_label",
    "severities",
    "tail_shares",
    "threshold_for",
    "train",
    "warnings_of",
]
