"""Data from files: what is read, and the line that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweep.data_files import load_file
from sweep.errors import DataError

PLANTS = "height,width,kind\n1.5,2,reed\n0.5,3,moss\n0.25,1,moss\n"


@pytest.fixture
def plants(tmp_path: Path) -> Path:
    path = tmp_path / "plants.csv"
    path.write_text(PLANTS)
    return path


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


def test_spaces_after_commas_and_around_names_are_no_part_of_them(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("height , width, kind\n1.5, 2, reed\n0.5, 3, moss\n")
    data = load_file(tmp_path / "data.csv", "kind")
    assert (data.features, data.y.tolist()) == (("height", "width"), ["reed", "moss"])


@pytest.mark.parametrize(
    ("y", "shown"),
    [
        (np.array([b"reed", b"moss"]), "2 classes"),
        (np.array([["reed"], ["moss"]]), "2 classes"),
        (np.array([[True, False], [True, True]]), "targets 0 to 1"),
        (np.array([[0.5], [2.5]]), "targets 0.5 to 2.5"),
    ],
)
def test_targets_of_any_kind_are_told_in_words(tmp_path: Path, y: np.ndarray, shown: str) -> None:
    np.savez(tmp_path / "data.npz", X=np.eye(2), y=y)
    data = load_file(tmp_path / "data.npz", "y")
    assert str(data) == f"data.npz: 2 rows, 2 features, {shown}"
    assert data.y.dtype.kind != "S"


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
        (
            PLANTS + "1.0,,reed\n",
            "kind",
            None,
            r"column 'width' has 1 missing value, the first in row 3 \(counted from 0\)",
        ),
        ("a,y\n1,0\nx,1\n", "y", None, "column 'a' is not numeric, for example 'x' in row 1"),
        ("a,y\n1,0\ninf,1\n", "y", None, "column 'a' must be finite, got inf in row 1"),
        # Some versions of pandas read so long a number as text, some as a Python int.
        pytest.param(
            "a,y\n1,0\n" + "9" * 400 + ",1\n",
            "y",
            None,
            "is not numeric, for example '?9+…9+'? in row",
            id="number of 400 digits",
        ),
        ("a, y, y\n1,0,0\n", "y", None, "the column 'y' is there twice"),
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


def test_a_csv_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(PLANTS.encode("utf-16"))
    with pytest.raises(DataError, match=r"data\.csv: is not a text file in UTF-8"):
        load_file(tmp_path / "data.csv", "kind")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "data.csv").mkdir()
    with pytest.raises(DataError, match=r"data\.csv: is not a file"):
        load_file(tmp_path / "data.csv", "y")


def test_what_is_no_npz_file_says_how_to_write_one(tmp_path: Path) -> None:
    with (tmp_path / "data.npz").open("wb") as file:
        np.save(file, np.eye(2))
    with pytest.raises(DataError, match=r"is no NPZ file; write one with numpy\.savez"):
        load_file(tmp_path / "data.npz", "y")


def test_a_damaged_file(tmp_path: Path) -> None:
    for name in ("data.npz", "data.parquet", "data.csv"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00PK\x03\x04" * 9)
        with pytest.raises(DataError) as error:
            load_file(tmp_path / name, "y")
        assert "\n" not in str(error.value)
