"""What detectors flag on a day on which there is nothing to find."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cohortlab.anomalies.calibration import tail_shares
from cohortlab.anomalies.detectors import Trained, train


def on_quiet_flows(
    trained: Mapping[str, Trained],
    quiet: np.ndarray,
    *,
    options: Mapping[str, Mapping],
    expected_share: float,
    random_state: int = 0,
) -> pd.DataFrame:
    """Let detectors score flows without attacks, and train them anew on these alone.

    Parameters
    ----------
    trained : mapping of str to Trained
        Detectors by name, trained on other flows.
    quiet : ndarray of shape (n_flows, n_features)
        Flows without attacks, prepared as those of the training were.
    options : mapping of str to mapping
        Options of each detector, for training anew.
    expected_share : float
        As for the training.
    random_state : int
        Seed of what is drawn.

    Returns
    -------
    pandas.DataFrame
        Indexed by detector: `false_alarms` (flows flagged), `scored` (their share),
        `trained_on_it` (the share flagged by a detector that knows nothing else), and
        `tail_share_within_expected` (share of flows with a tail share of at most `expected_share`,
        which is to be no larger than that).
    """
    rows = {}
    for name, one in trained.items():
        scores = one.score(quiet)
        alone = train(
            name,
            quiet,
            expected_share=expected_share,
            options=options[name],
            random_state=random_state,
        )
        shares = tail_shares(scores, one.scores)
        rows[name] = {
            "false_alarms": int(one.flags(scores).sum()),
            "scored": float(one.flags(scores).mean()),
            "trained_on_it": float(alone.flags(alone.scores).mean()),
            "tail_share_within_expected": float((shares <= expected_share).mean()),
        }
    return pd.DataFrame.from_dict(rows, orient="index").astype({"false_alarms": "int64"})
