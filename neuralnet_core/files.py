"""Files that are written whole: whoever reads one sees what was there before or all of the new, never a part."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

__all__ = ["is_database", "replace_file"]

DATABASE = b"SQLite format 3\0"  # how its files begin


def replace_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a regular file, with the rights that it had; a link stays a link.

    Raises
    ------
    FileExistsError
        If a database is there: the results of a sweep, say.
    OSError
        If the file cannot be written; what was there before is as it was.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "notes.txt"
    >>> replace_file(path, b"a line")
    >>> path.read_bytes()
    b'a line'
    """
    target = Path(os.path.realpath(path))
    if is_database(target):
        raise FileExistsError(
            errno.EEXIST, "it is a database, such as a sweep's store; give another name", os.fspath(path)
        )
    # To take a file's place would need rights on its folder only.
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
    part = target.with_name(f".{target.name[:50]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            if target.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def is_database(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a database of SQLite's.

    Examples
    --------
    >>> is_database(os.devnull)
    False
    """
    if not os.path.isfile(path):
        return False
    # One that is in use is not opened: closing it here would free the locks that this process has on it.
    if os.path.exists(f"{os.fspath(path)}-wal"):
        return True
    try:
        with open(path, "rb") as file:
            return file.read(len(DATABASE)) == DATABASE
    except OSError:
        return False
