"""New customers: the vote of the leaves, the bundle, and ids that stay."""

import hashlib
import io
import json

import numpy as np
import pandas as pd
import pytest
from score.making import NAMES, RECIPE, customers, fitted

from cohortlab import score
from cohortlab.arrays import pack_arrays, unpack_arrays
from cohortlab.embedding import fit_leaf_forest, scaled_leaves
from cohortlab.score.storage import _digest
from cohortlab.score.votes import _add_of_block, vote


def test_new_customers_of_planted_kinds_go_where_they_belong(bundle):
    table, kind = customers(seed=9, first_id=1000)
    assigned = bundle.assign(table.drop(columns=["customer_id", "money"]))
    assert (assigned["cluster"] == kind).all()
    assert (assigned["name"] == [NAMES[c] for c in kind]).all()
    assert bundle.agreement == {"training": 1.0, "left_out": 1.0}


def test_agreement_without_the_own_say_falls_to_chance_for_labels_that_mean_nothing():
    table, _ = customers(100)
    labels = np.random.default_rng(3).choice(list(NAMES), len(table))
    agreement = fitted(table, labels).agreement
    assert agreement["training"] > 0.5
    assert agreement["left_out"] < 0.45


def test_the_vote_is_the_mean_share_over_the_trees(bundle):
    table, labels = customers()
    X = bundle.scaling.transform(table).astype(np.float32)
    votes = vote(bundle.forest, bundle.shares, X)
    leaves = bundle.forest.apply(X)
    ids = np.array(list(NAMES))
    for row in (0, 60, 149):
        shares = [
            (labels[leaves[:, tree] == leaves[row, tree]][:, None] == ids).mean(axis=0)
            for tree in range(bundle.forest.n_trees)
        ]
        assert votes[row] == pytest.approx(np.mean(shares, axis=0))


def test_walking_in_blocks_gives_the_leaves_of_every_row_and_tree(monkeypatch):
    rng = np.random.default_rng(2)
    # Rounded, so that values lie on thresholds; more rows than a block; trees of unlike depth.
    X = np.round(rng.random((700, 3)), 2)
    y = np.where(X[:, 0] > 0.5, X[:, 1] ** 9, 0.0)
    forest = fit_leaf_forest(X, y, n_trees=7, min_leaf=3, random_state=0)
    number = forest.leaf_number
    shares = rng.random((number.max() + 1, 4))
    expected = sum(shares[leaves] for leaves in number[forest.apply(X)].T) / forest.n_trees
    for few in (0, len(X)):  # in threads, and in turn
        monkeypatch.setattr("cohortlab.score.votes._FEW", few)
        assert np.array_equal(vote(forest, shares, X), expected)
    votes = np.zeros_like(expected)
    for block in range(3):
        _add_of_block.py_func(block, votes, X.astype("f4"), shares, *forest.by_depth)
    assert np.array_equal(votes / forest.n_trees, expected)


def test_a_tree_that_is_a_single_leaf_votes_too():
    X = np.zeros((5, 2))
    forest = fit_leaf_forest(X, X[:, 0], n_trees=2, min_leaf=1, random_state=0)
    shares = np.array([[0.25, 0.75], [0.75, 0.25]])
    assert (vote(forest, shares, X) == 0.5).all()


def test_a_row_is_assigned_alike_whatever_else_is_there(bundle):
    table, _ = customers(seed=4)
    table.loc[3, "pieces"] = np.nan
    whole = bundle.assign(table)
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(bundle.assign(shuffled).sort_index(), whole)
    alone = pd.concat([bundle.assign(table.iloc[[i]]) for i in range(12)])
    pd.testing.assert_frame_equal(alone, whole.iloc[:12])


def test_missing_values_unseen_ranges_and_missing_columns_are_each_treated(bundle):
    table = customers()[0].iloc[:4].astype({"recency": float})
    table.loc[0, "recency"], table.loc[1, "pieces"], table.loc[2, "pieces"] = np.nan, np.inf, 1e9
    assigned = bundle.assign(table)
    assert assigned["cluster"].isna().tolist() == [True, True, False, False]
    assert assigned.loc[0, "note"] == "recency is missing or no number"
    assert assigned.loc[1, "note"] == "pieces is missing or no number"
    assert assigned.loc[2, "note"].startswith("pieces is outside 4")
    assert assigned.loc[3, "note"] == ""
    assert assigned["probability"].isna().tolist() == [True, True, False, False]
    with pytest.raises(ValueError, match=r"columns \['pieces'\] are missing: needed are"):
        bundle.assign(table.drop(columns="pieces"))


def test_a_bundle_comes_back_whole_and_is_the_same_bytes_again(bundle, folder, tmp_path_factory):
    again = score.load_bundle(folder, study="shop")
    table, _ = customers(seed=2)
    pd.testing.assert_frame_equal(again.assign(table), bundle.assign(table))
    pd.testing.assert_series_equal(again.members, bundle.members, check_index_type=False)
    other = tmp_path_factory.mktemp("other")
    score.save_bundle(again, other)
    for path in folder.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    "part", ["manifest.json", "scaling.json", "clusters.json", "forest.npz", "members.npz"]
)
def test_a_flipped_bit_or_a_missing_part_is_refused(folder, part):
    path = folder / part
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(score.BundleError, match=part):
        score.load_bundle(folder, study="shop")
    path.unlink()
    with pytest.raises(score.BundleError, match=f"{part} is (missing|not there)"):
        score.load_bundle(folder, study="shop")


def forge(folder, part=None, content=b"", **changes):
    """Change a bundle and make its digests fit, as a foreign file may."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest.pop("sha256")
    manifest |= changes
    if part:
        (folder / part).write_bytes(content)
        manifest["parts"][part] = hashlib.sha256(content).hexdigest()
    manifest["sha256"] = _digest(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_another_study_format_or_schema_is_refused(folder):
    with pytest.raises(score.BundleError, match="belongs to study 'shop', not to 'bank'"):
        score.load_bundle(folder, study="bank")
    forge(folder, inputs=[{"name": "recency", "lowest": 0, "highest": 1}])
    with pytest.raises(score.BundleError, match="parts do not fit"):
        score.load_bundle(folder, study="shop")
    forge(folder, format="something else")
    with pytest.raises(score.BundleError, match="not of the format"):
        score.load_bundle(folder, study="shop")


def test_pickled_objects_in_a_part_are_refused(folder):
    content = io.BytesIO()
    np.savez(content, id=np.array([{}], dtype=object), cluster=np.zeros(1))
    forge(folder, "members.npz", content.getvalue())
    with pytest.raises(score.BundleError, match=r"no usable bundle.*allow_pickle=False"):
        score.load_bundle(folder, study="shop")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("left", 0, "leads nowhere"),
        ("right", 10**6, "leads nowhere"),
        ("left", 2, "hangs on none or on two others"),
        ("feature", 9, "asks for what is not there"),
    ],
)
def test_trees_that_would_walk_in_circles_or_out_of_bounds_are_refused(
    bundle, folder, name, value, message
):
    arrays = {k: v.copy() for k, v in bundle.forest.arrays().items()} | {"shares": bundle.shares}
    arrays[name][0] = value
    forge(folder, "forest.npz", pack_arrays(arrays))
    with pytest.raises(score.BundleError, match=message):
        score.load_bundle(folder, study="shop")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"study": None}, "belongs to study None"),
        ({"parts": None}, "names no parts"),
        ({"parts": []}, "names no parts"),
        ({"id": 5}, "the id column should be a text"),
        ({"id": "recency"}, "do not fit each other"),
        ({"past_names": [5]}, "a past name should be a text"),
        ({"inputs": 5}, "inputs should be a list"),
        ({"inputs": [{"name": "recency"}]}, "no 'lowest'"),
        ({"inputs": [{"name": "recency", "lowest": "low", "highest": 1}]}, "lowest .* a number"),
        ({"inputs": [{"name": "recency", "lowest": 10**400, "highest": 1}]}, "too large"),
        ({"inputs": [{"name": "recency", "lowest": 2, "highest": 1}]}, "highest value of recency"),
        ({"agreement": 5}, "agreement should be numbers by name"),
        ({"agreement": {"training": 1.0}}, "no 'left_out'"),
        ({"agreement": {"training": 7, "left_out": 1}}, "agreement of training"),
        ({"next_id": 7}, "next_id: expected a whole number from 8 to inf"),
        ({"next_id": "8"}, "next_id: expected a whole number"),
    ],
)
def test_a_foreign_manifest_with_the_right_digest_is_refused(folder, changes, message):
    forge(folder, **changes)
    with pytest.raises(score.BundleError, match=message):
        score.load_bundle(folder, study="shop")


@pytest.mark.parametrize("key", ["study", "parts", "id", "inputs", "agreement"])
def test_a_manifest_without_a_key_is_refused(folder, key):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest = {name: v for name, v in manifest.items() if name not in (key, "sha256")}
    manifest["sha256"] = _digest(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(score.BundleError):
        score.load_bundle(folder, study="shop")


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("clusters.json", {"name": None}, "no 'name'"),
        ("clusters.json", {"cluster": [0, 4, 4]}, "ids of clusters should differ, but 4"),
        ("clusters.json", {"cluster": ["a", "b", "c"]}, "id of a cluster: expected a whole number"),
        ("clusters.json", {"cluster": [1, 4, 7]}, "belongs to no cluster"),
        ("clusters.json", {"name": ["small", "middle", 5]}, "name of cluster 7 should be a text"),
        ("clusters.json", {"name": ["small"]}, "same length"),
        ("clusters.json", {"size": [50, 0, 50]}, "size of a cluster"),
        ("clusters.json", {"recency": ["much", 1, 2]}, "recency of a cluster"),
        ("scaling.json", {"columns": 5}, "not iterable"),
        ("scaling.json", {"method": "guess"}, "its scaling 'guess'"),
        ("scaling.json", {"curves": ["none", "bent"]}, "curves should be one of"),
        ("scaling.json", {"scale": [1.0, float("nan")]}, "scales should be finite"),
        ("scaling.json", {"scale": [1.0]}, "scales should be of shape"),
        ("scaling.json", {"scale": [0.0, 1.0]}, "scale of 0 or less"),
        ("scaling.json", {"centre": ["a", "b"]}, "could not convert"),
        ("scaling.json", {"learnt": [[], ["much"]]}, "what was learnt of pieces"),
    ],
)
def test_a_foreign_part_of_text_that_fits_no_fit_is_refused(folder, part, changes, message):
    told = json.loads((folder / part).read_text()) | changes
    told = {name: value for name, value in told.items() if value is not None}
    forge(folder, part, json.dumps(told).encode())
    with pytest.raises(score.BundleError, match=f"no usable bundle .*{message}"):
        score.load_bundle(folder, study="shop")


@pytest.mark.parametrize("content", ["5", "[]", "null", "[" * 100_000, "{"])
@pytest.mark.parametrize("part", ["scaling.json", "clusters.json"])
def test_a_part_that_is_no_dictionary_is_refused(folder, part, content):
    forge(folder, part, content.encode())
    with pytest.raises(score.BundleError, match="no usable bundle"):
        score.load_bundle(folder, study="shop")


def with_first(array, value):
    array = array.copy()
    array.flat[0] = value
    return array


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("shares", lambda a: a.astype(str), "shares should be of shape"),
        ("shares", lambda a: a[:-1], "shares should be of shape"),
        ("shares", lambda a: with_first(a, np.nan), "shares should be finite"),
        ("shares", lambda a: a * 2, "sum to 1 in every row"),
        ("shares", lambda a: a - [1.0, -1.0, 0.0], "0 to 1"),
        ("threshold", lambda a: a.astype(str), "threshold of its trees should be"),
        ("threshold", lambda a: with_first(a, np.nan), "a threshold of its trees is no number"),
        ("feature", lambda a: a.astype(float), "feature of its trees should be"),
        ("left", lambda a: a[:, None], "left of its trees should be"),
        ("roots", lambda a: a.astype(">i4"), "roots of its trees should be"),
    ],
)
def test_foreign_trees_and_shares_are_refused(bundle, folder, name, change, message):
    arrays = bundle.forest.arrays() | {"shares": bundle.shares}
    forge(folder, "forest.npz", pack_arrays(arrays | {name: change(arrays[name])}))
    with pytest.raises(score.BundleError, match=message):
        score.load_bundle(folder, study="shop")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("cluster", lambda a: a.astype(str), "clusters of members"),
        ("cluster", lambda a: a[:-1], "clusters of members"),
        ("cluster", lambda a: a + 1, "belongs to no cluster"),
        ("id", lambda a: np.arange(len(a)), "ids of members should be texts"),
        ("id", lambda a: np.full(len(a), "x"), "ids of members should differ"),
    ],
)
def test_foreign_members_are_refused(folder, name, change, message):
    arrays = unpack_arrays((folder / "members.npz").read_bytes())
    forge(folder, "members.npz", pack_arrays(arrays | {name: change(arrays[name])}))
    with pytest.raises(score.BundleError, match=message):
        score.load_bundle(folder, study="shop")


def test_a_bundle_of_an_earlier_version_does_not_tell_the_next_id(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["sha256"], manifest["next_id"]
    manifest["sha256"] = _digest(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert score.load_bundle(folder, study="shop").next_id == 8


@pytest.mark.parametrize(("told", "kept"), [(2, 8), (8, 8), (11, 11)])
def test_the_next_id_is_above_those_of_this_fit_and_of_earlier_ones(told, kept):
    table, labels = customers()
    assert labels.max() == 7
    assert fitted(table, labels, next_id=told).next_id == kept


def test_clusters_keep_ids_and_names_by_shared_customers_and_new_ones_get_new_ids(bundle):
    table, kind = customers(seed=0)
    later = kind.copy()
    later[kind == 0], later[kind == 4], later[kind == 7] = 2, 0, 1
    later[-25:] = 3
    own = {0: "a", 1: "b", 2: "c", 3: "d"}
    kept = score.keep_ids(bundle, table, later, own)
    by_name = kept.table.set_index("name")["cluster"]
    assert kept.ids[2] == 0
    assert kept.ids[0] == 4
    assert {kept.ids[1], kept.ids[3]} == {7, 8}
    assert kept.names[kept.ids[2]] == "small"
    assert by_name[kept.names[8]] == 8
    assert kept.table["state"].tolist().count("new") == 1


def test_a_name_that_is_gone_is_given_to_no_other_cluster(bundle):
    table, kind = customers()
    joined = np.where(kind == 4, 0, kind)
    first = score.keep_ids(bundle, table, joined, {0: "small", 7: "large"})
    assert first.past_names == ("middle",)
    scaling, forest, _ = scaled_leaves(table, RECIPE, 1)
    kept = {"scaling": scaling, "forest": forest, "next_id": first.next_id}
    labels = pd.Series(joined).map(first.ids).to_numpy()
    second = score.fit_bundle(
        table, labels, first.names, study="shop", past_names=first.past_names, **kept
    )
    again = score.keep_ids(second, table, kind, {0: "small", 4: "middle", 7: "large"})
    assert again.names == {0: "small", 7: "large", 8: "middle 2"}
    assert again.past_names == ("middle",)


def test_without_shared_customers_clusters_are_matched_by_their_centres(bundle):
    table, kind = customers(seed=3, first_id=90_000)
    later = np.searchsorted([0, 4, 7], kind)[::1]
    keep = kind != 4
    kept = score.keep_ids(bundle, table[keep], 2 - later[keep], {0: "x", 2: "y"})
    assert kept.ids == {0: 7, 2: 0}
    assert kept.names == {7: "large", 0: "small"}
    assert kept.table["by"].unique().tolist() == ["centres"]
    gone = kept.table[kept.table["state"] == "gone"]
    assert gone["name"].tolist() == ["middle"]


def test_an_id_that_is_gone_is_not_given_again_by_the_third_fit(bundle, tmp_path):
    def refit(old, table, labels):
        names = {int(c): f"own {c}" for c in np.unique(labels)}
        kept = score.keep_ids(old, table, labels, names)
        scaling, forest, _ = scaled_leaves(table, RECIPE, 1)
        ids = pd.Series(labels).map(kept.ids).to_numpy()
        fit = {"study": "shop", "scaling": scaling, "forest": forest, "next_id": kept.next_id}
        return score.fit_bundle(table, ids, kept.names, **fit), kept

    table, kind = customers()
    without = kind != 7
    second, kept = refit(bundle, table[without], kind[without])
    assert kept.table["state"].tolist() == ["kept", "kept", "gone"]
    score.save_bundle(second, tmp_path)
    second = score.load_bundle(tmp_path, study="shop")
    third, kept = refit(second, table, kind)
    assert kept.ids == {0: 0, 4: 4, 7: 8}
    assert third.next_id == 9


def test_a_new_cluster_gets_a_name_that_no_kept_one_has(bundle):
    table, kind = customers()
    half = kind.copy()
    half[120:] = 9
    own = {0: "middle", 4: "small", 7: "large", 9: "large"}
    kept = score.keep_ids(bundle, table, half, own)
    assert kept.names == {0: "small", 4: "middle", 7: "large", 8: "large 2"}
    assert kept.table["name"].is_unique
