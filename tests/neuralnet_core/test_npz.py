"""Strict npz files: what is written NumPy reads too; what is read is the plain form and nothing else."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from neuralnet_core.npz import MAX_MEMBERS, ArrayHeader, NpzReader, npz_bytes

ARRAYS = {
    "one": np.arange(6.0).reshape(2, 3),
    "a/two": np.zeros(0, np.float32),
    "three": np.array(7, np.uint8),
}
CONTENT = npz_bytes(ARRAYS)
START = b"\x93NUMPY\1\0"


def read_all(content: bytes) -> dict[str, np.ndarray]:
    reader = NpzReader(io.BytesIO(content))
    return {name: reader.read(name) for name in reader.headers}


def npy(header: bytes, numbers: bytes = b"") -> bytes:
    return START + struct.pack("<H", len(header)) + header + numbers


def zipped(*members: tuple[str, bytes], **options: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name) if not options else name, content)
    return buffer.getvalue()


arrays = npst.arrays(
    st.sampled_from(["<f4", "<f8", ">f4", ">f8", "u1"]), npst.array_shapes(min_dims=0, min_side=0, max_side=4)
)


@given(written=st.dictionaries(st.text("ab/.0", min_size=1, max_size=5), arrays, max_size=4))
def test_any_arrays_go_there_and_back_bit_for_bit(written: dict[str, np.ndarray]) -> None:
    read = read_all(npz_bytes(written))
    assert list(read) == list(written)
    for name, array in written.items():
        native = array.astype(array.dtype.newbyteorder("="))
        assert read[name].shape == array.shape
        assert read[name].dtype == native.dtype
        assert read[name].tobytes() == native.tobytes()
        assert read[name].flags.writeable


def test_numpy_reads_what_is_written() -> None:
    with np.load(io.BytesIO(CONTENT), allow_pickle=False) as file:
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(file[name], array)


def test_equal_arrays_have_equal_bytes() -> None:
    assert npz_bytes({name: np.array(array, order="F") for name, array in ARRAYS.items()}) == CONTENT


def test_headers_are_known_before_any_array_is_made() -> None:
    assert (
        NpzReader(io.BytesIO(CONTENT)).headers["one"]
        == ArrayHeader("<f8", (2, 3))
        == ArrayHeader.of(ARRAYS["one"])
    )


END = ("disk", "first", "here", "entries", "length", "start", "comment")


def with_end(content: bytes, **changes: int) -> bytes:
    """Return a zip file whose last record says something else."""
    fields = dict(zip(END, struct.unpack("<4H2IH", content[-18:]), strict=True))
    return content[:-18] + struct.pack("<4H2IH", *(fields | changes).values())


def with_locator() -> bytes:
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1)
    return CONTENT[:-22] + locator + CONTENT[-22:]


VALUE = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n"
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "its size must be 22 to"),
    "text": (lambda: b"no zip file at all, just words", "does not end as an npz does"),
    "cut": (lambda: CONTENT[:-1], "does not end as an npz does"),
    "longer": (lambda: CONTENT + b"\0", "does not end as an npz does"),
    "in front": (lambda: b"#!/bin/sh\n" + CONTENT, "its directory does not fit its size"),
    "comment": (lambda: with_end(CONTENT, comment=1), "its directory does not fit its size"),
    "disks": (lambda: with_end(CONTENT, disk=1), "its directory does not fit its size"),
    "zip64": (with_locator, "its directory does not fit its size"),
    "many entries": (lambda: with_end(CONTENT, here=60000, entries=60000), f"it may have {MAX_MEMBERS} members"),
    "few entries": (lambda: with_end(CONTENT, here=1, entries=1), "entries too many or too few"),
    "compressed": (lambda: zipped(("a.npy", npy(VALUE)), compression=zipfile.ZIP_DEFLATED), "neither compressed"),
    "twice": (lambda: npz_bytes({"aa": np.ones(1), "ab": np.ones(1)}).replace(b"ab.npy", b"aa.npy"), "two of one name"),
    "no npy": (lambda: zipped(("a.txt", b"")), "'a.txt' must be an npy file"),
    "empty member": (lambda: zipped(("a.npy", b"")), "'a.npy' is too short for an array"),
    "a folder": (lambda: zipped(("a.npy/", b"")), "must be an npy file"),
    "no magic": (lambda: zipped(("a.npy", b"x" * 40)), "must hold float32, float64 or uint8"),
    "version 2": (lambda: zipped(("a.npy", npy(VALUE, bytes(16)).replace(START, b"\x93NUMPY\2\0"))), "must hold"),
    "cut header": (lambda: zipped(("a.npy", npy(VALUE)[:30])), "must hold"),
    "long header": (lambda: zipped(("a.npy", npy(VALUE[:-1] + b" " * 500 + b"\n", bytes(16)))), "must hold"),
    "objects": (lambda: zipped(("a.npy", npy(VALUE.replace(b"<f8", b"|O"), bytes(16)))), "must hold"),
    "strings": (lambda: zipped(("a.npy", npy(VALUE.replace(b"<f8", b"|S8"), bytes(16)))), "must hold"),
    "fortran": (lambda: zipped(("a.npy", npy(VALUE.replace(b"False", b"True"), bytes(16)))), "must hold"),
    "negative": (lambda: zipped(("a.npy", npy(VALUE.replace(b"2", b"-2"), bytes(16)))), "must hold"),
    "code": (lambda: zipped(("a.npy", npy(VALUE.replace(b"(2,)", b"(exit(),)"), bytes(16)))), "must hold"),
    "too few": (lambda: zipped(("a.npy", npy(VALUE, bytes(8)))), "says it has 16 bytes of numbers, but has 8"),
    "too many": (lambda: zipped(("a.npy", npy(VALUE, bytes(24)))), "says it has 16 bytes of numbers, but has 24"),
    "huge": (
        lambda: zipped(("a.npy", npy(VALUE.replace(b"(2,)", b"(99999999999, 99999999999)"), bytes(16)))),
        "says it has 79999999998400000000008 bytes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_what_is_not_the_plain_form_is_refused(case: str) -> None:
    make, message = FILES[case]
    with pytest.raises((ValueError, zipfile.BadZipFile), match=message):
        read_all(make())


def test_what_numpy_saves_compressed_or_pickled_is_refused() -> None:
    for save, value in ((np.savez_compressed, np.zeros(10**6)), (np.savez, np.array([{}], object))):
        buffer = io.BytesIO()
        save(buffer, value)
        with pytest.raises(ValueError, match=r"must be an npy file|do not fill it"):
            read_all(buffer.getvalue())


def test_bytes_between_members_are_refused() -> None:
    one, two = zipped(("a.npy", npy(VALUE, bytes(16)))), b"hidden"
    end = struct.unpack("<4H2IH", one[-18:])
    moved = one[: end[5]] + two + one[end[5] :]
    with pytest.raises(ValueError, match="do not fill it exactly"):
        read_all(with_end(moved, start=end[5] + len(two)))


def test_a_large_claim_takes_no_memory() -> None:
    makers = [FILES[case][0]() for case in ("huge", "many entries")]
    tracemalloc.start()
    try:
        for content in makers:
            with pytest.raises(ValueError, match=r"says it has|it may have"):
                read_all(content)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_more_arrays_than_can_be_read_are_not_written() -> None:
    with pytest.raises(ValueError, match=f"a file may have .* bytes and {MAX_MEMBERS} arrays"):
        npz_bytes({str(number): np.zeros(0) for number in range(MAX_MEMBERS + 1)})
