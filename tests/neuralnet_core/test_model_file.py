"""A model's file: there and back bit for bit; whatever a stranger wrote into it is a model or one ValueError line."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuralnet_core import Adam, Dense, Dropout, EarlyStopping, GradientDescent, Model, Network, WarmUp
from neuralnet_core.model_header import MAX_JSON
from neuralnet_core.npz import NpzReader, npz_bytes
from neuralnet_core.serialize import MAX_JSON_DEPTH

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
SPECIES = np.where(X[:, 0] > 0, "naïve 猫\n", "dog")
NETWORK = Network([Dense(4, "relu"), Dropout(0.1), Dense(2)], "softmax_cross_entropy")
OPTIMIZER = Adam(WarmUp(3, 0.1), epochs=9, early_stopping=EarlyStopping(patience=2))


def train(dtype: str = "float32") -> Model:
    held_out = X[40:], SPECIES[40:]
    return NETWORK.train(X[:40], SPECIES[:40], OPTIMIZER, seed=2**64 - 1, validation=held_out, dtype=dtype)


def diverge() -> Model:
    with pytest.warns(RuntimeWarning, match="diverged"):
        return Network([Dense(4, "relu"), Dense(1)]).train(X, X[:, 0], GradientDescent(1e30, epochs=9))


MODEL = train()
CONTENT = MODEL.to_bytes()


def assert_same(one: Model, other: Model) -> None:
    for name in ("network", "optimizer", "seed", "dtype", "input_shape", "state", "epoch", "classes"):
        assert getattr(one, name) == getattr(other, name)
        assert type(getattr(one, name)) is type(getattr(other, name))
    for arrays, others in ((one.parameters, other.parameters), (one.history_arrays, other.history_arrays)):
        assert list(arrays) == list(others)
        for name, values in arrays.items():
            assert values.dtype == others[name].dtype
            assert values.shape == others[name].shape
            assert values.tobytes() == others[name].tobytes()


# --- There and back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [train, lambda: train("float64"), diverge], ids=["float32", "float64", "diverged"]
)
def test_a_model_goes_there_and_back_bit_for_bit(make: Callable[[], Model], tmp_path: Path) -> None:
    model = make()
    model.save(tmp_path / "model.npz")
    again = Model.load(tmp_path / "model.npz")
    assert_same(again, model)
    assert again.digest() == model.digest()
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.history.equals(model.history)
    assert again.to_bytes() == model.to_bytes() == (tmp_path / "model.npz").read_bytes()


def test_numbers_that_are_not_numbers_keep_their_bits() -> None:
    model = diverge()
    payload = np.array([0x7FC00123, 0xFFC00001, 0x80000000, 1], np.uint32).view(np.float32)
    model = replace(model, parameters=model.parameters | {"0.bias": payload})
    assert_same(Model.from_bytes(model.to_bytes()), model)


def test_what_is_loaded_is_trained_further() -> None:
    again = Model.from_bytes(CONTENT)
    options = {"seed": 3, "validation": (X, SPECIES)}
    further = [
        NETWORK.train(X, SPECIES, OPTIMIZER, initial=model.parameters, **options) for model in (MODEL, again)
    ]
    assert further[0].digest() == further[1].digest()


def test_numpy_reads_a_model_file(tmp_path: Path) -> None:
    MODEL.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        assert json.loads(bytes(file["header"]))["format"] == "neuralnet_core.Model"
        np.testing.assert_array_equal(file["parameters/0.weight"], MODEL.parameters["0.weight"])
        np.testing.assert_array_equal(file["history/train_loss"], MODEL.history_arrays["train_loss"])


# --- Writing ----------------------------------------------------------------------------------------------


def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        MODEL.save(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.npz"]


def test_a_model_takes_no_database_s_place(tmp_path: Path) -> None:
    path = tmp_path / "results.sweep"
    path.write_bytes(b"SQLite format 3\0 and the rest")
    with pytest.raises(FileExistsError, match="it is a database, such as a sweep's store; give another name"):
        MODEL.save(path)
    assert path.read_bytes() == b"SQLite format 3\0 and the rest"
    assert os.listdir(tmp_path) == ["results.sweep"]


def test_a_saved_file_has_usual_rights_and_a_link_stays_a_link(tmp_path: Path) -> None:
    plain, link = tmp_path / "plain", tmp_path / "link"
    plain.write_bytes(b"")
    link.symlink_to("model.npz")
    MODEL.save(str(link))
    assert link.is_symlink()
    assert Model.load(tmp_path / "model.npz").digest() == MODEL.digest()
    assert (tmp_path / "model.npz").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch": 99}, "epoch 99 does not fit"),
        ({"state": "failed"}, "state must be one of done, diverged; got 'failed'"),
        ({"parameters": {}}, r"the array 'parameters/0.bias' is missing"),
        ({"history_arrays": {}}, "epochs_trained must be >= 1"),
        (
            {"input_shape": (7,)},
            r"'parameters/0.weight' must have dtype <f4 and shape \(7, 4\), got <f4 and \(3, 4\)",
        ),
        ({"dtype": "float64"}, "'parameters/0.weight' must have dtype <f8"),
        ({"classes": ("x" * MAX_JSON, "y")}, f"a model's header may have {MAX_JSON} bytes"),
    ],
)
def test_a_model_that_could_not_be_read_back_is_not_written(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(MODEL, **change).to_bytes()


# --- Files that are no models -----------------------------------------------------------------------------


def test_paths_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Model.load(tmp_path / "model.npz")
    with pytest.raises(FileNotFoundError, match=r"no such folder to save a model in: '.*/folder'"):
        MODEL.save(tmp_path / "folder" / "model.npz")
    with pytest.raises(IsADirectoryError):
        Model.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"'.*pipe' cannot be read as a model: it is no regular file"):
        Model.load(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"cannot be read as a model: it is no regular file"):
        Model.load("/dev/zero")


def members(content: bytes = CONTENT) -> dict[str, np.ndarray]:
    reader = NpzReader(io.BytesIO(content))
    return {name: reader.read(name) for name in reader.headers}


def with_header(header: Any) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return npz_bytes(members() | {"header": np.frombuffer(text, np.uint8)})


HEADER = json.loads(members()["header"].tobytes())


def without(name: str) -> bytes:
    return npz_bytes({other: array for other, array in members().items() if other != name})


def swapped(one: str, other: str) -> bytes:
    arrays = members()
    return npz_bytes(arrays | {one: arrays[other], other: arrays[one]})


def wide(units: int) -> dict[str, Any]:
    return HEADER["network"] | {"layers": [{"type": "Dense", "units": units}, {"type": "Dense", "units": 2}]}


ONE_NAN = np.array([np.nan, 0, 0, 0], np.float32)
FAULTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "its size must be"),
    "no header": (lambda: without("header"), "it has no header"),
    "no array": (lambda: without("parameters/2.bias"), "the array 'parameters/2.bias' is missing"),
    "no history": (lambda: without("history/train_loss"), "the array 'history/train_loss' is missing"),
    "extra": (lambda: npz_bytes(members() | {"extra": np.zeros(1)}), "the array 'extra' is none of its network"),
    "swapped": (lambda: swapped("parameters/0.weight", "parameters/2.weight"), r"must have dtype <f4 and shape"),
    "swapped header": (lambda: swapped("header", "parameters/0.weight"), "its header must be at most"),
    "float64": (lambda: npz_bytes(members() | {"parameters/0.bias": np.zeros(4)}), r"got <f8 and \(4,\)"),
    "shape": (lambda: npz_bytes(members() | {"parameters/0.bias": ONE_NAN[:, None]}), r"got <f4 and \(4, 1\)"),
    "not finite": (lambda: npz_bytes(members() | {"parameters/0.bias": ONE_NAN}), "its parameters are not finite"),
    "long header": (lambda: with_header(b" " * (MAX_JSON + 1)), f"its header must be at most {MAX_JSON} bytes"),
    "no JSON": (lambda: with_header(b"{"), "Expecting property name"),
    "no text": (lambda: with_header(b"\xff\xfe\xfd"), "can't decode"),
    "no object": (lambda: with_header([1]), "its header must say"),
    "NaN": (lambda: with_header(json.dumps(HEADER | {"seed": np.nan}).encode()), "JSON has no number NaN"),
    "digits": (lambda: with_header(b"1" * 5000), "Exceeds the limit"),
    "deep": (lambda: with_header(b"[" * 10**6), f"JSON is nested more than {MAX_JSON_DEPTH} deep"),
    "deep string": (lambda: with_header({"[" * 100: "]" * 100}), "its header must say"),
    "deep value": (lambda: with_header(HEADER | {"network": json.loads("[" * 30 + "]" * 30)}), "must be a dictionary"),
    "newer": (lambda: with_header(HEADER | {"version": 2}), "of another kind or of a newer version"),
    "other format": (lambda: with_header(HEADER | {"format": "x"}), "its header must say"),
    "extra field": (lambda: with_header(HEADER | {"x": 1}), "its header must have the fields network, optimizer"),
    "no field": (lambda: with_header({k: v for k, v in HEADER.items() if k != "seed"}), "must have the fields"),
    "no network": (lambda: with_header(HEADER | {"network": HEADER["optimizer"]}), "a model has a network and an"),
    "no optimizer": (lambda: with_header(HEADER | {"optimizer": None}), "a description must be a dictionary"),
    "seed": (lambda: with_header(HEADER | {"seed": 2**64}), r"seed must be < 2\*\*64"),
    "dtype": (lambda: with_header(HEADER | {"dtype": "float16"}), "dtype must be one of float32, float64"),
    "inputs": (lambda: with_header(HEADER | {"input_shape": [4]}), r"'parameters/0.weight' must have"),
    "no inputs": (lambda: with_header(HEADER | {"input_shape": []}), "layer 0: Dense takes inputs of shape"),
    "inputs number": (lambda: with_header(HEADER | {"input_shape": 3}), "input_shape must be a list, got 3"),
    "image": (lambda: with_header(HEADER | {"input_shape": [3, 3]}), "layer 0: Dense takes inputs of shape"),
    "many epochs": (lambda: with_header(HEADER | {"epochs_trained": 10}), "must be at most the optimizer's 9"),
    "other epochs": (lambda: with_header(HEADER | {"epochs_trained": 9, "epoch": 1}), "'history/train_loss' must have"),
    "late epoch": (lambda: with_header(HEADER | {"epoch": 9, "epochs_trained": 8}), "epoch 9 does not fit 8 epochs"),
    "early epoch": (lambda: with_header(HEADER | {"epoch": 0}), "epoch must be >= 1"),
    "true epoch": (lambda: with_header(HEADER | {"epoch": True}), "epoch must be an integer"),
    "metrics": (lambda: with_header(HEADER | {"history": ["train_loss", "x"]}), "history must be train_loss, or"),
    "classes": (lambda: with_header(HEADER | {"classes": ["a"]}), "1 classes do not fit softmax_cross_entropy"),
    "same classes": (lambda: with_header(HEADER | {"classes": ["a", "a"]}), "classes must be different strings"),
    "number class": (lambda: with_header(HEADER | {"classes": ["a", 1]}), "classes must be different strings"),
    "list class": (lambda: with_header(HEADER | {"classes": ["a", []]}), "classes must be different strings"),
    "classes number": (lambda: with_header(HEADER | {"classes": 2}), "classes must be a list, got 2"),
    "huge": (lambda: with_header(HEADER | {"network": wide(10**9)}), r"the array 'parameters/1.bias' is missing"),
    "huge float": (lambda: with_header(HEADER | {"optimizer": {"type": "Adam", "l2": 10**999}}), "l2 must be >= 0"),
    "long line": (lambda: with_header(HEADER | {"dtype": "x\n" * 9999}), r"dtype must be one of .{0,300}$"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_one_line(case: str) -> None:
    make, message = FAULTS[case]
    content = make()
    with pytest.raises(ValueError, match=message) as caught:
        Model.from_bytes(content)
    assert str(caught.value).startswith("these bytes cannot be read as a model: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_fault_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_bytes(b"PK" * 99)
    with pytest.raises(
        ValueError, match=r"^'.*model.npz' cannot be read as a model: it does not end as an npz does"
    ):
        Model.load(tmp_path / "model.npz")


def test_claims_take_no_memory() -> None:
    layers = [{"type": "Dense", "units": 10**9}] * 999 + [HEADER["network"]["layers"][-1]]
    huge = with_header(HEADER | {"network": HEADER["network"] | {"layers": layers}})
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="cannot be read as a model"):
            Model.from_bytes(huge)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


# --- Fuzzing: a model or one line -------------------------------------------------------------------------


def model_or_line(content: bytes) -> Model | None:
    """Return the model of a file, or None if there was one ValueError line."""
    try:
        return Model.from_bytes(content)
    except ValueError as error:
        if "\n" in str(error) or len(str(error)) > 400:
            raise
        return None


def test_a_file_cut_anywhere_is_refused() -> None:
    assert all(model_or_line(CONTENT[:length]) is None for length in range(0, len(CONTENT), 7))
    assert all(model_or_line(CONTENT[length:]) is None for length in range(1, len(CONTENT), 7))


def test_a_flipped_bit_is_refused_or_means_nothing() -> None:
    """Every other byte, one of its bits each: checksums and checks find what matters; dates and the like do not."""
    for place in range(0, len(CONTENT), 2):
        content = bytearray(CONTENT)
        content[place] ^= 1 << place % 8
        model = model_or_line(bytes(content))
        assert model is None or model.to_bytes() == CONTENT, place


@given(st.lists(st.tuples(st.integers(0, len(CONTENT) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=300)
def test_any_bytes_changed_are_a_model_or_one_line(changes: list[tuple[int, int]]) -> None:
    content = bytearray(CONTENT)
    for place, value in changes:
        content[place] = value
    model = model_or_line(bytes(content))
    assert model is None or model.to_bytes() == CONTENT


@given(st.permutations(sorted(members())), st.data())
def test_members_in_any_other_place_are_a_model_or_one_line(names: list[str], data: st.DataObject) -> None:
    arrays = members()
    moved = dict(zip(arrays, (arrays[name] for name in names), strict=True))
    dropped = data.draw(st.sets(st.sampled_from(names), max_size=2))
    model_or_line(npz_bytes({name: array for name, array in moved.items() if name not in dropped}))


@given(
    st.lists(st.tuples(st.text("abc/.", min_size=1, max_size=4), st.binary(max_size=200)), max_size=4),
    st.booleans(),
)
def test_any_zip_file_is_one_line(entries: list[tuple[str, bytes]], compressed: bool) -> None:
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in dict(entries).items():
            archive.writestr(name, content)
    assert model_or_line(buffer.getvalue()) is None


shapes = st.lists(st.integers(-1, 2**70), max_size=9).map(tuple)
dtypes = st.sampled_from(["<f4", "<f8", "|u1", ">f4", "|O", "|V9999999999", "<U999999999", "x"])


@given(shapes, dtypes, st.booleans(), st.binary(max_size=64), st.sampled_from(sorted(members())))
def test_any_claimed_array_is_one_line(
    shape: tuple[int, ...], dtype: str, fortran: bool, numbers: bytes, name: str
) -> None:
    header = f"{{'descr': {dtype!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    array = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + numbers
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, zipfile.ZipFile(io.BytesIO(CONTENT)) as original:
        for info in original.infolist():
            own = info.filename == f"{name}.npy"
            archive.writestr(zipfile.ZipInfo(info.filename), array if own else original.read(info))
    assert model_or_line(buffer.getvalue()) is None


def places(plain: Any) -> list[tuple[Any, ...]]:
    """Return the path of every value in JSON."""
    items = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    return [(), *((key, *path) for key, value in items for path in places(value))]


def changed(plain: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copied = plain.copy()
    copied[path[0]] = changed(plain[path[0]], path[1:], value)
    return copied


words = st.sampled_from(
    ["Dense", "Adam", "WarmUp", "Network", "relu", "mse", "float64", "diverged", "", "é\n"]
)
numbers = st.integers(-2, 99) | st.integers(-(2**70), 2**70) | st.floats()
json_values = st.recursive(
    st.none() | st.booleans() | numbers | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("type") | words, inner, max_size=3),
    max_leaves=6,
)
parts = st.sampled_from(
    [changed({"": HEADER}, (), HEADER["network"]), HEADER["optimizer"], *HEADER["network"]["layers"]]
)


@given(st.sampled_from(places(HEADER)), json_values | parts)
@settings(max_examples=250)
def test_any_header_is_a_model_or_one_line(path: tuple[Any, ...], value: Any) -> None:
    model_or_line(with_header(changed(HEADER, path, value)))


def test_a_file_takes_the_place_of_files_only(tmp_path: Path) -> None:
    model = Network([Dense(1)]).train([[0.0], [1.0]], [0.0, 1.0], Adam(epochs=1))
    os.mkfifo(tmp_path / "pipe.npz")
    for path, error in ((tmp_path, IsADirectoryError), (tmp_path / "pipe.npz", OSError)):
        with pytest.raises(error, match="a model is saved in a regular file; give another name"):
            model.save(path)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe.npz"]
    assert (tmp_path / "pipe.npz").is_fifo()
