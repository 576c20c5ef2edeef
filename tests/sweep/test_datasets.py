"""Data by name and from files, scaling, splits: what is read, and the line that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from sweep.datasets import DATASETS, load_dataset, load_file, split_rows
from sweep.errors import DataError
from sweep.scaling import fit_scaling

PLANTS = "height,width,kind\n1.5,2,reed\n0.5,3,moss\n0.25,1,moss\n"


@pytest.fixture
def plants(tmp_path: Path) -> Path:
    path = tmp_path / "plants.csv"
    path.write_text(PLANTS)
    return path


# --- By name --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DATASETS)
def test_every_named_set_loads_and_is_the_same_again(name: str) -> None:
    one, other = load_dataset(name), load_dataset(name)
    assert one.X.ndim == 2
    assert len(one.X) == len(one.y) > 0
    assert len(one.features) == one.X.shape[1]
    np.testing.assert_array_equal(one.X, other.X)
    np.testing.assert_array_equal(one.y, other.y)
    assert str(one).startswith(f"{name}: {len(one.X)} rows, {one.X.shape[1]} features, ")


@pytest.mark.parametrize("name", DATASETS)
def test_every_listed_argument_is_one_of_scikit_learns(name: str) -> None:
    import inspect

    import sklearn.datasets

    parameters = inspect.signature(getattr(sklearn.datasets, DATASETS[name].function)).parameters
    assert set(DATASETS[name].arguments) <= set(parameters)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("digit", {}, "unknown data set 'digit'; did you mean digits\\?"),
        ("moons", {"nois": 0.1}, "moons: unknown argument 'nois'; did you mean noise\\?"),
        ("iris", {"noise": 0.1}, "iris: unknown argument 'noise' \\(none is allowed here\\)"),
        ("moons", {"noise": -1.0}, "moons: .*noise"),
    ],
)
def test_wrong_names_and_arguments(name: str, arguments: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        load_dataset(name, **arguments)
    assert "\n" not in str(error.value)


# --- From files -----------------------------------------------------------------------------------------------


def test_csv(plants: Path) -> None:
    data = load_file(plants, "kind")
    assert data.features == ("height", "width")
    assert data.X.dtype == np.float64
    np.testing.assert_array_equal(data.X, [[1.5, 2], [0.5, 3], [0.25, 1]])
    assert data.y.tolist() == ["reed", "moss", "moss"]


def test_features_are_chosen_in_the_order_given(plants: Path) -> None:
    assert load_file(plants, "height", ["width"]).X.tolist() == [[2.0], [3.0], [1.0]]


def test_numbers_in_csv_are_read_to_the_last_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=200) * 10.0 ** np.arange(-100, 100)
    path = tmp_path / "numbers.csv"
    path.write_text("x,y\n" + "".join(f"{value!r},0\n" for value in values.tolist()))
    np.testing.assert_array_equal(load_file(path, "y").X[:, 0], values)


def test_parquet_holds_the_same_as_csv(plants: Path) -> None:
    pytest.importorskip("pyarrow")
    pd.read_csv(plants).to_parquet(plants.with_suffix(".parquet"))
    csv, parquet = load_file(plants, "kind"), load_file(plants.with_suffix(".parquet"), "kind")
    np.testing.assert_array_equal(csv.X, parquet.X)
    np.testing.assert_array_equal(csv.y, parquet.y)


def test_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", X=np.eye(3, 2), labels=np.array([0, 1, 1]))
    data = load_file(tmp_path / "data.npz", "labels")
    assert data.X.shape == (3, 2)
    assert data.y.tolist() == [0, 1, 1]


def test_npz_is_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", X=np.array([[{}]], dtype=object), y=np.zeros(1))
    with pytest.raises(DataError, match="cannot be read"):
        load_file(tmp_path / "data.npz", "y")


@pytest.mark.parametrize(
    ("text", "target", "features", "message"),
    [
        (PLANTS, "knd", None, "unknown column 'knd'; did you mean kind\\?"),
        (PLANTS, "kind", ["heigth"], "unknown column 'heigth'; did you mean height\\?"),
        (PLANTS, "kind", ["kind"], "the target 'kind' cannot be a feature too"),
        (PLANTS, "height", None, "column 'kind' is not numeric, for example 'reed'"),
        (PLANTS + "1.0,,reed\n", "kind", None, "column 'width' has 1 missing values, the first in row 3"),
        ("a,y\n1,0\nx,1\n", "y", None, "column 'a' is not numeric, for example 'x' in row 1"),
        ("a,y,y\n1,0,0\n", "y", None, "the column 'y' is there twice"),
        (PLANTS, "kind", ["height", "height"], "features have the column 'height' twice"),
        ("kind\nreed\n", "kind", None, "at least one row and one column"),
        ("a,y\n", "y", None, "at least one row and one column"),
        ("", "y", None, "cannot be read"),
        ("a,y\n1,2,3\n1,2,3,4\n", "y", None, "cannot be read"),
        ("a,y\n0,2,3\n1,5,6\n", "y", None, "more values than the header has names"),
    ],
)
def test_wrong_csv(tmp_path: Path, text: str, target: str, features: list[str] | None, message: str) -> None:
    (tmp_path / "data.csv").write_text(text)
    with pytest.raises(DataError, match=message) as error:
        load_file(tmp_path / "data.csv", target, features)
    assert "\n" not in str(error.value)
    assert "data.csv" in str(error.value)


@pytest.mark.parametrize(
    ("arrays", "target", "message"),
    [
        ({"X": np.eye(2)}, "y", "has no array 'y' \\(it has: X\\)"),
        (
            {"X": np.zeros(2), "y": np.zeros(2)},
            "y",
            "X must have shape \\(samples, features\\), got \\(2,\\)",
        ),
        ({"X": np.eye(2), "y": np.zeros(3)}, "y", "must have one length"),
    ],
)
def test_wrong_npz(tmp_path: Path, arrays: dict[str, np.ndarray], target: str, message: str) -> None:
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(DataError, match=message):
        load_file(tmp_path / "data.npz", target)


@pytest.mark.parametrize("name", ["nowhere.csv", "data.pkl", "data"])
def test_a_file_that_is_not_there_or_of_another_kind(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"no such file|unknown kind of file"):
        load_file(tmp_path / name, "y")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "data.csv").mkdir()
    with pytest.raises(DataError, match=r"data\.csv: is not a file"):
        load_file(tmp_path / "data.csv", "y")


def test_what_is_no_npz_file_says_how_to_write_one(tmp_path: Path) -> None:
    with (tmp_path / "data.npz").open("wb") as file:
        np.save(file, np.eye(2))
    with pytest.raises(DataError, match=r"is no NPZ file; write one with numpy\.savez"):
        load_file(tmp_path / "data.npz", "y")


def test_a_set_too_large_for_memory_is_one_line() -> None:
    with pytest.raises(DataError, match="moons: Unable to allocate"):
        load_dataset("moons", n_samples=10**13)


def test_a_damaged_file(tmp_path: Path) -> None:
    for name in ("data.npz", "data.parquet", "data.csv"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00PK\x03\x04" * 9)
        with pytest.raises(DataError) as error:
            load_file(tmp_path / name, "y")
        assert "\n" not in str(error.value)


# --- Scaling --------------------------------------------------------------------------------------------------


def test_scaling_agrees_with_scikit_learn() -> None:
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    X = load_dataset("digits").X  # has constant columns
    np.testing.assert_allclose(fit_scaling("standard", X)(X), StandardScaler().fit_transform(X), atol=1e-12)
    np.testing.assert_allclose(fit_scaling("minmax", X)(X), MinMaxScaler().fit_transform(X), atol=1e-12)


def test_scaling_does_not_depend_on_the_memory_layout() -> None:
    X = np.random.default_rng(0).normal(size=(1001, 7))
    for kind in ("standard", "minmax"):
        one, other = fit_scaling(kind, X)(X), fit_scaling(kind, np.asfortranarray(X))(X)
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("kind", ["standard", "minmax"])
def test_values_too_large_to_be_scaled_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=f"scaling '{kind}' of column 1 is not finite"):
        fit_scaling(kind, [[0.0, -1.7e308], [1.0, 1.7e308]])


def test_scaling_fitted_to_some_rows_serves_others() -> None:
    scaling = fit_scaling("minmax", [[0.0], [2.0]])
    assert scaling([[4.0]]).tolist() == [[2.0]]


@pytest.mark.parametrize("scaling", ["stnadard", 0, -1.0, float("nan"), float("inf"), True, None, [16]])
def test_wrong_scaling(scaling: object) -> None:
    with pytest.raises(ValueError, match="scaling"):
        fit_scaling(scaling, [[1.0]])  # type: ignore[arg-type]


# --- Splits ---------------------------------------------------------------------------------------------------


@hypothesis.given(
    counts=st.lists(st.integers(2, 40), min_size=1, max_size=5),
    fraction=st.floats(0.2, 0.6),
    seed=st.integers(0, 2**63 - 1),
    stratify=st.booleans(),
)
@hypothesis.settings(max_examples=50)
def test_a_split_holds_every_row_once(counts: list[int], fraction: float, seed: int, stratify: bool) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    held_out = int(np.ceil(fraction * len(y)))
    hypothesis.assume(min(held_out, len(y) - held_out) >= len(counts))
    rows, validation_rows = split_rows(y, fraction, seed, stratify)
    assert rows.dtype == validation_rows.dtype == np.int64
    assert len(validation_rows) == held_out
    np.testing.assert_array_equal(np.sort(np.concatenate([rows, validation_rows])), np.arange(len(y)))
    assert (np.diff(rows) > 0).all()
    assert (np.diff(validation_rows) > 0).all()
    again = split_rows(y, fraction, seed, stratify)
    np.testing.assert_array_equal(rows, again[0])
    np.testing.assert_array_equal(validation_rows, again[1])


def test_a_stratified_split_keeps_the_proportions() -> None:
    y = np.array(["rare"] * 10 + ["often"] * 90)
    _, validation_rows = split_rows(y, 0.2, 7, stratify=True)
    assert (y[validation_rows] == "rare").sum() == 2


def test_seeds_differ_beyond_32_bits() -> None:
    y = np.zeros(100)
    one, other = split_rows(y, 0.2, 1, False), split_rows(y, 0.2, 1 + 2**32, False)
    assert one[1].tolist() != other[1].tolist()


def test_the_split_of_a_seed_never_changes() -> None:
    """Another split is another experiment: recorded results would silently be trained again."""
    y = np.repeat([0, 1], [6, 14])
    assert split_rows(y, 0.25, 12345678901234567890 % 2**63, True)[1].tolist() == [2, 8, 13, 15, 19]
    assert split_rows(y, 0.25, 0, False)[1].tolist() == [1, 4, 9, 10, 11]


@pytest.mark.parametrize(
    ("y", "fraction", "stratify", "message"),
    [
        ([0, 0, 1, 1], 1.0, True, "fraction > 0 and < 1, got 1.0"),
        ([0, 0, 1, 1], 0.0, False, "fraction > 0 and < 1, got 0.0"),
        ([0, 0, 1, 1], 0.99, False, "leaves no row to train on"),
        ([0, 0, 1], 0.5, True, "at least 2 rows of every class, got 1 of class 1"),
        ([0, 0, 1, 1, 2, 2], 0.2, True, "a part of 2 for 3 classes"),
    ],
)
def test_impossible_splits(y: list[int], fraction: float, stratify: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split_rows(y, fraction, 0, stratify)
