"""How the command line ends and what it prints: one line for a mistake, no orders to the terminal, an exit code."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from neuralnet_core import replace_file

from .errors import TRY_AGAIN, USAGE, UserError
from .labels import printable
from .store import StoreError

__all__ = ["run_to_exit", "save", "say", "show", "usage_errors"]


def run_to_exit(command: Callable[[], int | None]) -> None:
    """Run a command and exit with what it returns, or with the code of what it raises; warnings are lines."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _show_warning
        _show_what_cannot_be_printed()
        try:
            _run(command)
        finally:
            _drop_what_nobody_reads()


def _show_what_cannot_be_printed() -> None:
    """Let who reads get a character's number where his encoding has no such character, and no traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError):  # it was a file when Python opened it, and is a terminal now
                stream.reconfigure(errors="backslashreplace")


def _drop_what_nobody_reads() -> None:
    """Empty the buffers of a closed terminal: Python would fail to, and end with 120 instead of our exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


def _run(command: Callable[[], int | None]) -> None:
    try:
        sys.exit(command() or 0)
    except click.ClickException as error:
        _fail([error.format_message()], error.exit_code)
    except UserError as error:
        _fail(error.lines, error.exit_code)
    except StoreError as error:
        _fail([str(error)], error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail(["interrupted"], 130)
    except MemoryError as error:
        _fail([f"not enough memory: {error}"], TRY_AGAIN)
    except OSError as error:
        told = error.strerror or str(error)
        told = f"{error.filename}: {told}" if error.filename else told
        _fail([told], TRY_AGAIN if error.errno == errno.ENOSPC else USAGE)


def _fail(lines: Sequence[str], exit_code: int) -> None:
    with contextlib.suppress(OSError):
        for line in lines:
            say(f"sweep: {' '.join(line.split())}", err=True)
    sys.exit(exit_code)


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if not issubclass(category, DeprecationWarning):  # that is for who writes programs
        with contextlib.suppress(OSError):  # nobody reads any more; that ends no run
            say(f"sweep: {' '.join(str(message).split())}", err=True)


def say(text: object, *, err: bool = False) -> None:
    """Print lines; what came from a file cannot give the terminal orders."""
    click.echo(printable(str(text), keep="\n"), err=err)


def show(data: str, *, whole: bool) -> None:
    """Print data: as they are to a program, to the letter if it is to read the `whole`; as `say` does to a terminal."""
    if sys.stdout is not None and sys.stdout.isatty():
        say(data)
        return
    if whole:
        _check_encoding(data, getattr(sys.stdout, "encoding", None) or "utf-8")
    click.echo(data, color=True)  # else it takes out what would colour a terminal


def _check_encoding(data: str, encoding: str) -> None:
    try:
        data.encode(encoding)
    except UnicodeEncodeError as error:
        raise UserError(
            f"the output is {encoding}, which has no {data[error.start]!a}: set PYTHONIOENCODING=utf-8,"
            " or write a file with --out"
        ) from error


def save(path: Path, content: bytes, what: str = "") -> None:
    """Write a file and say so; what the disk has against it names the file."""
    printed = _is_stdout(path)
    try:
        if printed:  # to open it anew would begin at its start
            sys.stdout.buffer.write(content)
            sys.stdout.flush()
        elif path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            replace_file(path, content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    say(f"wrote {path}{what}", err=printed)


def _is_stdout(path: Path) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError, AttributeError):  # there is no such file, or no output
        return False


def usage_errors(function: Any, *arguments: Any, **options: Any) -> Any:
    """Call a function; what it has against its arguments is the user's mistake, its data being checked before."""
    try:
        return function(*arguments, **options)
    except UserError:
        raise
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from error
