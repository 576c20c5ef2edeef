"""Arrays in one npz file, read strictly: a stranger's file costs little more memory than its own size.

An npz is a zip file of npy files. Python's and NumPy's readers accept far more than NumPy writes (compression,
several disks, comments, entries that share bytes, header texts that are evaluated). Here only the plain form is
accepted, and everything is checked before memory is taken for the numbers.

Sources: APPNOTE.TXT of PKWARE (the zip format), `numpy.lib.format` (the npy format).
"""

from __future__ import annotations

import io
import math
import os
import re
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ArrayHeader", "NpzReader", "npz_bytes"]

MAX_FILE = 1 << 31  # bytes; larger ones would need another form of zip file
MAX_MEMBERS = 10_000
MAX_DIRECTORY = 1 << 20  # bytes of the zip's table of contents
END = struct.Struct("<4s4H2IH")  # the record that a zip file ends with (APPNOTE.TXT 4.3.16)
LOCAL_HEADER = 30  # bytes before the name of a member
EARLIEST = (1980, 1, 1, 0, 0, 0)  # one date for all: equal arrays give equal files

NPY_START = struct.Struct("<6sBBH")  # magic, version, length of the header's text
MAX_NPY_HEADER = 256
NPY_HEADER = re.compile(
    rb"\{'descr': '(<f4|<f8|\|u1)', 'fortran_order': False, 'shape': \((\d+,|\d+(?:, \d+)+|)\), \} *\n"
)


@dataclass(frozen=True)
class ArrayHeader:
    """What an npy file says of its array: the dtype as NumPy spells it, "<f4" say, and the shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """The size of the array's numbers."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    @classmethod
    def of(cls, array: NDArray[Any]) -> ArrayHeader:
        """Return the header under which `npz_bytes` writes an array: little-endian on every machine."""
        return cls(array.dtype.newbyteorder("<").str, array.shape)


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the bytes of an npz file, which `numpy.load` reads too; equal arrays give equal bytes.

    Examples
    --------
    >>> content = npz_bytes({"a/b": np.zeros(2)})
    >>> np.load(io.BytesIO(content), allow_pickle=False)["a/b"]
    array([0., 0.])
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EARLIEST), _npy_bytes(array))
    if buffer.tell() > MAX_FILE or len(arrays) > MAX_MEMBERS:
        raise ValueError(
            f"a file may have {MAX_FILE} bytes and {MAX_MEMBERS} arrays; "
            f"this one would have {buffer.tell()} and {len(arrays)}"
        )
    return buffer.getvalue()


def _npy_bytes(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    plain = np.require(array, array.dtype.newbyteorder("<"), "C")
    np.lib.format.write_array(buffer, plain, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


class NpzReader:
    """The arrays of an npz file. Opening it reads every member's header and no numbers.

    Raises
    ------
    ValueError, zipfile.BadZipFile, and what else Python's zip reader raises for a damaged file
        If the file is not an npz in its plain form.

    Examples
    --------
    >>> reader = NpzReader(io.BytesIO(npz_bytes({"a": np.ones(3)})))
    >>> reader.headers
    {'a': ArrayHeader(dtype='<f8', shape=(3,))}
    >>> reader.read("a")
    array([1., 1., 1.])
    """

    def __init__(self, file: IO[bytes]) -> None:
        start, entries = _directory(file)
        self._archive = zipfile.ZipFile(file)
        self._members = _members(self._archive, start, entries)
        self.headers = {name: self._header(info) for name, info in self._members.items()}

    def _header(self, info: zipfile.ZipInfo) -> ArrayHeader:
        with self._archive.open(info) as member:
            start = member.read(MAX_NPY_HEADER)
        header, offset = _npy_header(start, info.filename)
        if header.nbytes != info.file_size - offset:
            raise ValueError(
                f"{info.filename!r} says it has {header.nbytes} bytes of numbers, but has {info.file_size - offset}"
            )
        return header

    def read(self, name: str) -> NDArray[Any]:
        """Return an array, a copy in the machine's byte order; its checksum is verified."""
        header = self.headers[name]
        content = self._archive.read(self._members[name])
        numbers = np.frombuffer(content, header.dtype, offset=len(content) - header.nbytes)
        return numbers.reshape(header.shape).astype(numbers.dtype.newbyteorder("="))


def _directory(file: IO[bytes]) -> tuple[int, int]:
    """Return where the zip's directory starts and how many entries it says it has.

    Python's reader makes an object of every entry, so this must come first.
    """
    size = file.seek(0, os.SEEK_END)
    if not END.size <= size <= MAX_FILE:
        raise ValueError(f"its size must be {END.size} to {MAX_FILE} bytes, got {size}")
    file.seek(size - END.size)
    magic, disk, first_disk, here, entries, length, start, comment = END.unpack(file.read(END.size))
    if magic != b"PK\5\6":
        raise ValueError("it does not end as an npz does: it is cut short or something else")
    if disk or first_disk or comment or here != entries or start + length + END.size != size:
        raise ValueError("its directory does not fit its size: it is damaged")
    if entries > MAX_MEMBERS or length > MAX_DIRECTORY:
        raise ValueError(f"it may have {MAX_MEMBERS} members, got {entries} in a directory of {length} bytes")
    return start, entries


def _members(archive: zipfile.ZipFile, start: int, entries: int) -> dict[str, zipfile.ZipInfo]:
    """Return the members by array name: each stored as it is, once, one after the other without gaps."""
    infos = archive.infolist()
    members = {info.filename.removesuffix(".npy"): info for info in infos}
    if len(infos) != entries or len(members) != entries:
        raise ValueError("its directory has entries too many or too few, or two of one name")
    for name, info in members.items():
        is_plain = info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
        if not is_plain or info.flag_bits or info.extra or info.filename != f"{name}.npy":
            raise ValueError(f"{info.filename!r} must be an npy file, neither compressed nor encrypted")
    if sum(LOCAL_HEADER + len(info.filename.encode()) + info.file_size for info in infos) != start:
        raise ValueError("its members do not fill it exactly: it is damaged, or another program wrote it")
    return members


def _npy_header(start: bytes, name: str) -> tuple[ArrayHeader, int]:
    """Return the header of an npy file, and where its numbers begin."""
    if len(start) < NPY_START.size:
        raise ValueError(f"{name!r} is too short for an array")
    magic, major, minor, length = NPY_START.unpack_from(start)
    offset = NPY_START.size + length
    match = NPY_HEADER.fullmatch(start[NPY_START.size : offset])
    if magic != b"\x93NUMPY" or (major, minor) != (1, 0) or offset > len(start) or match is None:
        raise ValueError(
            f"{name!r} must hold float32, float64 or uint8 numbers in C order, as this package writes them"
        )
    shape = tuple(int(size) for size in match[2].decode().split(",") if size)
    return ArrayHeader(match[1].decode(), shape), offset
