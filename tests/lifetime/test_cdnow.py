"""The models on the purchases that they were published with: first buyers of 1997 at CDNOW."""

import numpy as np
import pandas as pd
import pytest
from sources.test_real_data import real

from cohortlab.lifetime import (
    BgNbd,
    fit_bg_nbd,
    fit_gamma_gamma,
    hold_out,
    in_weeks,
    purchase_history,
)

# Fader, Hardie and Lee (2005), table 2, of a tenth of the customers, time in weeks.
PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
# Fader and Hardie (2013), of the same tenth.
PUBLISHED_SPENDING = np.array([6.25, 3.74, 15.44])
A_TENTH = 2_357
CALIBRATION = (pd.Timestamp("1997-09-30") - pd.Timestamp("1997-01-01")).days / 7


@pytest.fixture(scope="module")
def log():
    names = ["customer_id", "day", "discs", "value"]
    path = real("cdnow/CDNOW_master.txt.xz")
    rows = pd.read_csv(path, sep=r"\s+", names=names, header=0, dtype={"day": str})
    assert len(rows) == 69_659
    return in_weeks(rows.assign(day=pd.to_datetime(rows["day"], format="%Y%m%d")))


@pytest.fixture(scope="module")
def tenths(log):
    history = purchase_history(log, until=CALIBRATION)
    assert len(history) == 23_570
    rng = np.random.default_rng(19970930)
    return [history.iloc[rng.choice(len(history), A_TENTH, replace=False)] for _ in range(30)]


def assert_within(published, estimates):
    logs = np.log(estimates)
    assert ((logs.min(axis=0) < np.log(published)) & (np.log(published) < logs.max(axis=0))).all()
    # Parameters go together, so the four are held against the cloud too: squared Mahalanobis
    # distance of one more draw from it, below its 97.5 % point.
    far = np.log(published) - logs.mean(axis=0)
    squared = far @ np.linalg.solve(np.cov(logs.T), far)
    assert squared < {3: 9.35, 4: 11.14}[len(published)]


def test_published_rates_lie_within_what_random_tenths_give(tenths):
    estimates = np.array([fit_bg_nbd(tenth).table["estimate"] for tenth in tenths])
    assert_within(np.array(list(vars(PUBLISHED).values())), estimates)


def test_published_spending_lies_within_what_random_tenths_give(tenths):
    estimates = np.array([fit_gamma_gamma(tenth).table["estimate"] for tenth in tenths])
    assert_within(PUBLISHED_SPENDING, estimates)


def test_purchases_of_the_weeks_held_out_are_foreseen(log):
    held = hold_out(log, split=CALIBRATION)
    figures = held.figures
    # The model is known to foresee somewhat too little in these weeks.
    assert 0.8 < figures["predicted"] / figures["actual"] < 1.0
    assert figures["naive"] / figures["actual"] > 1.4
    assert figures["predicted_error"] < figures["naive_error"]
    assert figures["predicted_correlation"] > 0.6
    # Who came back more often is foreseen to, and does, come more often.
    assert held.by_repeats["predicted"].is_monotonic_increasing
    gap = held.by_repeats["predicted"] / held.by_repeats["actual"] - 1
    assert gap.abs().max() < 0.4
    assert gap["4":].abs().max() < 0.1
