"""A model and its file: an npz of a header (JSON), the history and the parameters; never a pickle.

A file may come from a stranger. So these are checked, in this order: the zip's directory and what every array
says of itself (npz.py), the header's size, depth and values (model_header.py), every array's name, dtype and
shape against the layout of the network described. Only then is memory taken for the numbers.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .files import replace_file
from .model import Model
from .model_header import MAX_JSON, Header, read_header
from .npz import ArrayHeader, NpzReader, npz_bytes

__all__ = ["dump", "load", "parse", "save"]

# What Python's reader of zip files raises for a damaged one, and a constructor for a wrong value.
FAULTS = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model's file. Whoever reads `path` sees what was there before or all of the model, never a part."""
    content = dump(model)
    target = Path(os.path.realpath(path))  # a link stays a link
    if target.exists() and not target.is_file():  # the last step would put a file in a device's place
        number = errno.EISDIR if target.is_dir() else errno.EINVAL
        raise OSError(number, "a model is saved in a regular file; give another name", os.fspath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            errno.ENOENT, "there is no such folder to save a model in", str(target.parent)
        )
    replace_file(path, content)


def dump(model: Model) -> bytes:
    """Return the bytes of a model's file; equal models have equal bytes."""
    header = Header.of(model)
    history = {f"history/{name}": values for name, values in model.history_arrays.items()}
    parameters = {f"parameters/{name}": values for name, values in model.parameters.items()}
    _check_arrays({name: ArrayHeader.of(values) for name, values in (history | parameters).items()}, header)
    return npz_bytes({"header": np.frombuffer(header.json(), np.uint8)} | history | parameters)


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model's file; OSError if it cannot be opened, ValueError (one line) for whatever is wrong with it."""
    problem = f"{os.fspath(path)!r} cannot be read as a model"
    with open(path, "rb", opener=_without_waiting) as file, _one_line(problem):
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no regular file")
        return _read(file)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe would wait for its writer


def parse(content: bytes) -> Model:
    """Read a model from the bytes of its file; ValueError (one line) for whatever is wrong with them."""
    with _one_line("these bytes cannot be read as a model"):
        return _read(io.BytesIO(content))


@contextmanager
def _one_line(problem: str) -> Iterator[None]:
    try:
        yield
    except FAULTS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{problem}: {reason[:300]}") from None


def _read(file: IO[bytes]) -> Model:
    npz = NpzReader(file)
    said = dict(npz.headers)
    json_said = said.pop("header", None)
    if json_said is None:
        raise ValueError("it has no header")
    if json_said.dtype != "|u1" or len(json_said.shape) != 1 or json_said.nbytes > MAX_JSON:
        raise ValueError(f"its header must be at most {MAX_JSON} bytes, got {json_said}")
    header = read_header(npz.read("header").tobytes())
    _check_arrays(said, header)
    return _model(header, {name: npz.read(name) for name in said})


def _check_arrays(said: dict[str, ArrayHeader], header: Header) -> None:
    """Compare what the arrays say of themselves with what the network's layout says of them."""
    width = np.dtype(header.dtype).newbyteorder("<").str
    expected = {f"history/{name}": ArrayHeader("<f8", (header.epochs_trained,)) for name in header.history}
    for slot in header.layout.parameters:
        expected[f"parameters/{slot.name}"] = ArrayHeader(width, slot.shape)
    if said.keys() != expected.keys():
        odd = min(said.keys() ^ expected.keys())
        raise ValueError(f"the array {odd!r} is {'missing' if odd in expected else 'none of its network'}")
    for name, array in expected.items():
        if said[name] != array:
            raise ValueError(
                f"{name!r} must have dtype {array.dtype} and shape {array.shape}, "
                f"got {said[name].dtype} and {said[name].shape}"
            )


def _model(header: Header, arrays: dict[str, NDArray[Any]]) -> Model:
    parameters = {slot.name: arrays[f"parameters/{slot.name}"] for slot in header.layout.parameters}
    if header.state == "done" and not all(np.isfinite(values).all() for values in parameters.values()):
        raise ValueError("its parameters are not finite, though its state is 'done'")
    return Model(
        network=header.network,
        optimizer=header.optimizer,
        seed=header.seed,
        dtype=header.dtype,
        input_shape=header.input_shape,
        parameters=parameters,
        state=header.state,
        history_arrays={name: arrays[f"history/{name}"] for name in header.history},
        epoch=header.epoch,
        classes=header.classes,
    )
