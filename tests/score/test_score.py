"""New customers: the vote of the leaves, the bundle, files in parts, and ids that stay."""

import hashlib
import io
import json
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cohortlab import score
from cohortlab.arrays import pack_arrays, unpack_arrays
from cohortlab.embedding import Recipe, fit_leaf_forest, scaled_leaves
from cohortlab.score.__main__ import main
from cohortlab.score.reading import read_parts
from cohortlab.score.storage import _digest
from cohortlab.score.stream import score_file
from cohortlab.score.votes import _add_of_block, vote

RECIPE = Recipe(
    "money", ("recency", "pieces"), 15, 5, "hamming", 15, 50, 3, 5, 500, ("money",), "standard"
)
NAMES = {0: "small", 4: "middle", 7: "large"}


def customers(n=50, seed=0, first_id=1):
    """Make three kinds of customers, apart in every column."""
    rng = np.random.default_rng(seed)
    kind = np.repeat([0, 1, 2], n)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(first_id, first_id + 3 * n),
            "money": np.array([10.0, 200.0, 4000.0])[kind] * rng.uniform(0.8, 1.25, 3 * n),
            "recency": np.array([300, 150, 10])[kind] + rng.integers(-9, 10, 3 * n),
            "pieces": np.array([5.0, 80.0, 900.0])[kind] * rng.uniform(0.8, 1.25, 3 * n),
        }
    )
    return table, np.array(list(NAMES))[kind]


def fitted(table, labels, names=NAMES, **options):
    scaling, forest, _ = scaled_leaves(table, RECIPE, 1)
    fit = {"study": "shop", "scaling": scaling, "forest": forest}
    return score.fit_bundle(table, labels, names, **fit, **options)


@pytest.fixture(scope="module")
def bundle():
    return fitted(*customers())


@pytest.fixture
def folder(bundle, tmp_path):
    score.save_bundle(bundle, tmp_path)
    return tmp_path


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


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".csv.gz"])
def test_files_are_scored_in_order_and_in_parts(bundle, tmp_path, ending):
    table, kind = customers(seed=5)
    source = tmp_path / f"new{ending}"
    table.to_parquet(source) if ending == ".parquet" else table.to_csv(source, index=False)
    outputs = []
    for part_rows in (7, 1000):
        target = tmp_path / f"out{part_rows}.csv"
        totals = score_file(bundle, source, target, part_rows=part_rows)
        assert totals["rows"] == totals["assigned"] == len(table)
        outputs.append(target.read_bytes())
    assert outputs[0] == outputs[1]
    found = pd.read_csv(tmp_path / "out7.csv")
    assert found["customer_id"].tolist() == table["customer_id"].tolist()
    assert found["cluster"].tolist() == kind.tolist()
    assert sorted(p.name for p in tmp_path.glob(".*")) == []


def test_text_in_a_column_of_numbers_concerns_its_row_alone(bundle, tmp_path):
    table = customers()[0].iloc[:3].astype(str)
    table.loc[1, "pieces"] = "many"
    table.loc[2, "customer_id"] = "=1+1"
    table.to_csv(tmp_path / "new.csv", index=False)
    totals = score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")
    assert totals == {"rows": 3, "assigned": 2, "not_assigned": 1, "noted": 0}
    found = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert found["cluster"].isna().tolist() == [False, True, False]
    assert found.loc[2, "customer_id"] == "'=1+1"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_marks_of_the_encoding_and_line_ends_are_read(bundle, tmp_path, separator):
    table = customers()[0].iloc[:5].assign(remark='a, b "c"\nd')
    text = "\r\n" + table.to_csv(index=False, sep=separator, lineterminator="\r\n")
    (tmp_path / "new.csv").write_bytes(text.encode("utf-8-sig"))
    assert score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")["assigned"] == 5


@pytest.mark.parametrize(
    "header",
    [
        'remark,customer_id , money,"recency", pieces\n',
        '"a note,\nin ""two"" lines",customer_id,money,recency,pieces\n',
        "x" * 100_000 + ",customer_id,money,recency,pieces\n",
    ],
)
def test_headers_with_blanks_line_ends_and_long_names_are_read(bundle, tmp_path, header):
    table, kind = customers()
    rows = table.assign(remark="").reindex(columns=["remark", *table])
    text = header + rows.to_csv(index=False, header=False)
    (tmp_path / "new.csv").write_text(text, "utf-8")
    assert score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")["assigned"] == len(kind)
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["customer_id"].tolist() == table["customer_id"].tolist()
    assert found["cluster"].tolist() == kind.tolist()


def test_the_separator_is_the_one_that_gives_the_wanted_names(bundle, tmp_path):
    table = customers()[0].iloc[:3].assign(**{"a,b,c,d,e,f": "1,2,3,4,5,6"})
    table.to_csv(tmp_path / "new.csv", index=False, sep=";")
    assert score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")["assigned"] == 3


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_a_header_alone_gives_an_empty_table(bundle, tmp_path, end):
    (tmp_path / "new.csv").write_bytes(f"customer_id,recency,pieces{end}".encode())
    assert score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")["rows"] == 0
    assert len(pd.read_csv(tmp_path / "out.csv")) == 0


def test_a_number_is_read_alike_whatever_else_is_in_its_column(bundle, tmp_path):
    table = customers()[0].iloc[:7].astype(str)
    table["pieces"] = ["0.1", " 3 ", "1e3", "7.000000000000001", "123456789.123456789", "inf", ""]
    read = []
    for fault in ([], ["many"], ["1,5"]):
        faulty = table.iloc[: len(fault)].assign(pieces=fault)
        pd.concat([table, faulty]).to_csv(tmp_path / "new.csv", index=False)
        [(_, columns)] = read_parts(bundle, tmp_path / "new.csv", part_rows=100)
        read.append(columns["pieces"])
        assert np.isnan(read[-1][7:]).all()
    expected = np.array([0.1, 3, 1e3, 7.000000000000001, 123456789.123456789, np.inf, np.nan])
    for found in read:
        np.testing.assert_array_equal(found[:7], expected)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_an_id_stays_as_it_is_beside_a_missing_one_in_any_part(bundle, tmp_path, ending):
    table = customers()[0].iloc[:6]
    ids = [2**60 + 1, 2, 3, None, 5, 6]
    table.assign(customer_id=pd.array(ids, dtype="Int64")).to_parquet(tmp_path / "new.parquet")
    target = tmp_path / f"out{ending}"
    assert score_file(bundle, tmp_path / "new.parquet", target, part_rows=2)["rows"] == 6
    if ending == ".parquet":
        found = pq.read_table(target)["customer_id"]
        assert found.type == "int64"
        assert found.to_pylist() == ids
    else:
        found = pd.read_csv(target, dtype=str, keep_default_na=False)["customer_id"]
        assert found.tolist() == [str(2**60 + 1), "2", "3", "", "5", "6"]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_coded_ids_are_those_that_they_stand_for(bundle, tmp_path, ending):
    plain = pa.array(["b", "a", None, "b", "=1"])
    coded = pa.Table.from_pandas(customers()[0].iloc[:5].drop(columns="customer_id"))
    coded = coded.append_column("customer_id", plain.dictionary_encode())
    pq.write_table(coded, tmp_path / "new.parquet")
    assert pa.types.is_dictionary(pq.read_schema(tmp_path / "new.parquet").field(-1).type)
    target = tmp_path / f"out{ending}"
    assert score_file(bundle, tmp_path / "new.parquet", target, part_rows=2)["assigned"] == 5
    if ending == ".parquet":
        found = pq.read_table(target)["customer_id"]
        assert found.combine_chunks().equals(plain)
    else:
        found = pd.read_csv(target, dtype=str, keep_default_na=False)["customer_id"]
        assert found.tolist() == ["b", "a", "", "b", "'=1"]


def test_signs_truth_values_and_coded_texts_are_numbers_too(bundle, tmp_path):
    table = (
        customers()[0]
        .iloc[:3]
        .assign(pieces=pd.Categorical(["+5", "-5", "five"]), recency=[True, False, True])
    )
    table.to_parquet(tmp_path / "new.parquet")
    [(_, columns)] = read_parts(bundle, tmp_path / "new.parquet", part_rows=100)
    np.testing.assert_array_equal(columns["pieces"], [5, -5, np.nan])
    np.testing.assert_array_equal(columns["recency"], [1, 0, 1])


def test_a_column_that_stands_twice_is_refused(bundle, tmp_path):
    table = customers()[0]
    pd.concat([table, table[["pieces"]]], axis=1).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(ValueError, match=r"columns \['pieces'\] stand in it more than once"):
        score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")


def test_an_empty_file_gives_an_empty_table(bundle, tmp_path):
    customers()[0].iloc[:0].to_parquet(tmp_path / "new.parquet")
    assert score_file(bundle, tmp_path / "new.parquet", tmp_path / "out.parquet")["rows"] == 0
    assert list(pd.read_parquet(tmp_path / "out.parquet")) == [
        "customer_id", "cluster", "name", "probability", "note",
    ]  # fmt: skip


def test_memory_does_not_grow_with_the_file(bundle, tmp_path):
    table = pd.concat([customers()[0]] * 40, ignore_index=True)
    peaks = []
    for copies in (1, 8):
        source = tmp_path / f"{copies}.parquet"
        pd.concat([table] * copies).to_parquet(source, index=False)
        tracemalloc.start()
        score_file(bundle, source, tmp_path / "out.parquet", part_rows=2000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def test_the_command_scores_or_says_what_is_wrong(folder, tmp_path, caplog):
    table, _ = customers()
    table.to_csv(tmp_path / "new.csv", index=False)
    arguments = ["shop", str(tmp_path / "new.csv"), str(tmp_path / "out.parquet")]
    assert main([*arguments, "--bundle", str(folder)]) == 0
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == len(table)
    (folder / "forest.npz").write_bytes(b"")
    assert main([*arguments, "--bundle", str(folder)]) == 2
    assert "was changed" in caplog.text


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("absent.csv", "out.csv", "there is no such file"),
        ("manifest.json", "out.csv", "expected a table that ends in"),
        ("new.csv", "out.xlsx", "expected an output, a file that ends in"),
        ("new.csv", "folder.csv", "expected an output, a file that ends in"),
        ("new.csv", "no/out.csv", "there is no folder"),
        ("new.csv", "manifest.json/out.csv", "there is no folder"),
        (
            "dates.parquet",
            "out.csv",
            r"dates.parquet: column 'pieces' is of type timestamp\[.s\]; expected numbers",
        ),
        ("new.csv", "out.csv", r"columns \['recency'\] are missing: needed are"),
    ],
)
def test_a_file_that_cannot_be_scored_is_named_and_nothing_is_written(
    bundle, folder, source, target, message
):
    table = customers()[0]
    table.drop(columns="recency").to_csv(folder / "new.csv", index=False)
    table.assign(pieces=pd.Timestamp("2026-01-01")).to_parquet(folder / "dates.parquet")
    (folder / "folder.csv").mkdir()
    with pytest.raises(ValueError, match=message):
        score_file(bundle, folder / source, folder / target)
    assert not (folder / target).is_file()
    assert list(folder.glob(".*")) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("short.csv", "1,2", "Row #50002: Expected 4 columns, got 2: 1,2"),
        ("latin.csv", "M\xfcller,1,1,1", "invalid UTF8"),
        ("no.parquet", "", "Parquet"),
        ("cut.csv.gz", "", "zlib inflate failed"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(bundle, tmp_path, name, content, message):
    table = pd.concat([customers()[0]] * 500, ignore_index=True).head(50_000)
    # The fault comes at the end, when parts were written already.
    text = table.to_csv(index=False) + content + "\n"
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=message) as caught:
        score_file(bundle, tmp_path / name, tmp_path / "out.csv", part_rows=10_000)
    assert name in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


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


@pytest.mark.parametrize(
    "kind",
    [
        pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(),
        pa.binary(4), pa.dictionary(pa.int8(), pa.string()),
    ],
    ids=str,
)  # fmt: skip
def test_text_ids_are_harmless_in_whatever_form_arrow_holds_them(bundle, tmp_path, kind):
    text = pa.array(["=1+1", "-2+3"])
    if pa.types.is_fixed_size_binary(kind):
        text = text.cast(pa.binary())
    ids = text.dictionary_encode() if pa.types.is_dictionary(kind) else text.cast(kind)
    inputs = {"recency": [10, 300], "pieces": [900.0, 5.0]}
    pq.write_table(pa.table({"customer_id": ids, **inputs}), tmp_path / "new.parquet")
    score_file(bundle, tmp_path / "new.parquet", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["customer_id"].tolist() == ["'=1+1", "'-2+3"]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (
            pa.array([[1], [2]]),
            r"column 'customer_id' is of type list<.*>; expected text or number",
        ),
        (pa.array([b"\xff", b"a"]), "column 'customer_id' holds what is no text in UTF-8"),
    ],
)
def test_ids_that_cannot_be_written_are_named(bundle, tmp_path, ids, message):
    inputs = {"recency": [10, 300], "pieces": [900.0, 5.0]}
    pq.write_table(pa.table({"customer_id": ids, **inputs}), tmp_path / "new.parquet")
    with pytest.raises(ValueError, match=f"new.parquet: {message}"):
        score_file(bundle, tmp_path / "new.parquet", tmp_path / "out.csv")


def test_the_input_is_not_written_over_and_endings_may_be_capitals(bundle, tmp_path):
    source = tmp_path / "new.CSV"
    customers()[0].to_csv(source, index=False)
    before = source.read_bytes()
    with pytest.raises(ValueError, match="this is the input"):
        score_file(bundle, source, source)
    assert source.read_bytes() == before
    assert score_file(bundle, source, tmp_path / "out.CSV")["assigned"] == 150
    assert len(pd.read_csv(tmp_path / "out.CSV")) == 150


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
