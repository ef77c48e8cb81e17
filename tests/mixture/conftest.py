from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from cohortlab.features.events import session_features
from cohortlab.preparation import clustered_columns, is_apart
from cohortlab.scaling import Scaling
from cohortlab.sources import read_events
from cohortlab.synthetic import generate_event_log

DATA = Path(__file__).parent / "data"
PARAMETERS = Path(__file__).resolve().parents[2] / "params.yaml"


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / f"{name}.csv")


@pytest.fixture(scope="session")
def faithful() -> pd.DataFrame:
    return read("faithful")


@pytest.fixture(scope="session")
def diabetes() -> pd.DataFrame:
    return read("diabetes")


@pytest.fixture(scope="session")
def ellipses() -> np.ndarray:
    return read("ellipses2d")[["x1", "x2"]].to_numpy()


@pytest.fixture(scope="session")
def ellipses_labels() -> np.ndarray:
    return read("ellipses2d")["initial_label"].to_numpy()


def generated_features(tmp_path_factory, n_visitors: int) -> pd.DataFrame:
    """Generate a log, find its sessions, and compute their features as the pipeline does."""
    block = YAML(typ="safe").load(PARAMETERS)["studies"]["sessions"]
    settings = {**block["data"]["synthetic"], "n_visitors": n_visitors}
    folder = tmp_path_factory.mktemp("sessions")
    generate_event_log(folder, folder / "truth", rng=np.random.default_rng(0), **settings)
    names = ("events", "item_properties*", "category_tree")
    path = {name.rstrip("*"): str(folder / f"{name}.csv") for name in names}
    scratch = tmp_path_factory.mktemp("scratch")
    log = read_events(path, cleaning=block["data"]["cleaning"], scratch=scratch)
    tables, gap_sec = log.tables, block["features"]["gap_sec"]
    found = session_features(tables["events"], tables["item_properties"], gap_sec=gap_sec)
    return found.to_pandas()


@pytest.fixture(scope="session")
def sessions(tmp_path_factory) -> np.ndarray:
    """Scale all twelve features of generated sessions, mass points and all."""
    features = generated_features(tmp_path_factory, 500)
    return Scaling("log1p_standard").fit_transform(features.drop(columns="session_id"))


@pytest.fixture(scope="session")
def spread_sessions(tmp_path_factory) -> np.ndarray:
    """Set single events apart, spread counts, and scale, as the pipeline does."""
    features = generated_features(tmp_path_factory, 5000)
    block = YAML(typ="safe").load(PARAMETERS)["studies"]["sessions"]["features"]
    rest = features[~is_apart(features, block["apart"])]
    rng = np.random.default_rng(0)
    columns = clustered_columns(rest, block["clustered"], spread=block["spread"], rng=rng)
    return Scaling(block["scaling"]).fit_transform(columns)
