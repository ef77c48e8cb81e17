import numpy as np
import pandas as pd
import pytest

from cohortlab.features import flows as of
from cohortlab.schemas import validate

FLOWS = pd.DataFrame(
    {
        "flow_id": [0, 1, 2, 3],
        "bytes_sent": [99.0, 0.0, 50.0, np.inf],
        "bytes_received": [0.0, 0.0, 49.0, 5.0],
        "packets_sent": [1.0, 0.0, 0.0, 1.0],
        "packets_received": [1.0, 0.0, 0.0, 1.0],
        "duration": [1.5, np.nan, 3.0, 4.0],
    }
)


def test_flows_are_described_by_size_shape_direction_and_duration():
    found = of.flow_features(FLOWS)
    assert found["total_bytes"].tolist() == [99, 0, 99, np.inf]
    assert found["total_packets"].tolist() == [2, 0, 0, 2]
    assert found["bytes_per_packet"].tolist()[0] == 49.5
    # Nothing in no packet is unknown, something in none infinite, and so is what is of it.
    assert np.isnan(found["bytes_per_packet"][1])
    assert np.isinf(found["bytes_per_packet"][2:]).all()
    assert found["send_receive_ratio"].tolist() == [100, 1, 51 / 50, np.inf]
    assert found["duration_sec"].tolist()[2] == 3


def test_infinite_and_missing_values_become_the_median_and_are_counted():
    filled, medians, counts = of.fill(of.flow_features(FLOWS))
    validate("flow_features", filled)
    assert counts["infinite"].to_dict() == {
        "total_bytes": 1,
        "total_packets": 0,
        "bytes_per_packet": 2,
        "send_receive_ratio": 1,
        "duration_sec": 0,
    }
    assert counts["missing"].sum() == 2
    assert medians["duration_sec"] == filled["duration_sec"][1] == 3.0
    assert filled["total_bytes"][3] == 99


def test_later_flows_get_the_medians_of_the_training():
    _, medians, _ = of.fill(of.flow_features(FLOWS))
    later, same, _ = of.fill(of.flow_features(FLOWS[1:2]), {**medians, "duration_sec": 7.0})
    assert later["duration_sec"].tolist() == [7.0]
    assert same["duration_sec"] == 7.0


def test_what_the_log_does_not_know_is_left_out():
    known = of.flow_features(FLOWS.assign(duration=np.nan, packets_received=None))
    assert list(known) == [
        "flow_id", "total_bytes", "total_packets", "bytes_per_packet", "send_receive_ratio",
    ]  # fmt: skip
    assert known["total_packets"].tolist() == [1, 0, 0, 1]
    bytes_alone = of.flow_features(FLOWS[["flow_id", "bytes_sent", "bytes_received"]])
    assert list(bytes_alone) == ["flow_id", "total_bytes", "send_receive_ratio"]


def test_a_feature_without_a_finite_value_is_named():
    with pytest.raises(ValueError, match=r"finite value of \['total_bytes'"):
        of.fill(of.flow_features(FLOWS.assign(bytes_sent=np.inf)))


def test_flows_hold_no_items():
    for name, table in of.no_items().items():
        assert len(validate(name, table)) == 0
