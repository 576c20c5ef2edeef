"""The command line: `sweep run`, `status`, `verify`, `table` and `plot`. Thin: it parses, calls and prints.

Everything heavy is imported by the command that needs it, so that `sweep --help` is quick.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import inspect
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from neuralnet_core import check_seed

from .console import run_to_exit, save, say, show, usage_errors
from .errors import USAGE
from .execution import BACKENDS, check_workers
from .jobs import FAILURES
from .labels import counted

if TYPE_CHECKING:
    from .results import Results

__all__ = ["main"]


class FilePath(click.Path):
    """The path of a file; an empty text is none: it would stand for this folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "" and param is not None:
            raise click.UsageError(f"{param.opts[0]} is empty: give the name of a file")
        return super().convert(value, param, ctx)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with a code that says how it went.

    0 all done, 1 some trials failed, 2 usage, 65 bad data, 75 try again (disk full, store in use or lost), 130
    interrupted by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.

    A user's mistake shows one line (a file with several mistakes, a line for each) and no traceback.
    """
    run_to_exit(lambda: commands.main(arguments, prog_name="sweep", standalone_mode=False))


def _version() -> str:
    try:
        return importlib.metadata.version("neuralnet-sweep")
    except importlib.metadata.PackageNotFoundError:
        return "unknown: not installed"


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), message="sweep %(version)s")
@click.pass_context
def commands(context: click.Context) -> None:
    """Train many small neural networks at once and see which configuration is better, and how sure that is."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        context.exit(USAGE)


# --- sweep run ------------------------------------------------------------------------------------------------


@commands.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("overrides", metavar="[NAME=VALUE]...", nargs=-1)
@click.option(
    "--n-jobs", default=-1, show_default=True, metavar="N", help="Workers; -1 is every CPU, -2 all but one."
)
@click.option(
    "--store",
    type=FilePath(path_type=Path),
    help="Where to record.  [default: FILE's name with .sweep, here]",
)
@click.option("--dry-run", is_flag=True, help="Say what would be trained and train nothing.")
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default="auto",
    show_default=True,
    help="Where networks train; the results are the same.",
)
@click.option(
    "--retry",
    type=click.Choice(FAILURES),
    multiple=True,
    help="Run again what is recorded as such; may be given several times.",
)
def run(
    file: Path,
    overrides: tuple[str, ...],
    *,
    n_jobs: int,
    store: Path | None,
    dry_run: bool,
    backend: str,
    retry: tuple[str, ...],
) -> int:
    """Train what an experiment FILE describes, and record it.

    Where the store exists the run resumes: what is recorded there is not trained again.

    Values of the file are replaced by NAME=VALUE, for example optimizer.epochs=5 or 'space.hidden=[8, 16]'.
    """
    from .config import load_experiment
    from .reporting import INTERRUPTED, closing_lines, exit_code, trained_line, what_next

    workers, _ = usage_errors(check_workers, n_jobs, backend, "threads")
    experiment = load_experiment(file, overrides)
    say(experiment.describe())
    store = store or Path(f"{experiment.name}.sweep")
    before = _recorded(store, retry)
    if dry_run:
        from .preview import preview

        data = experiment.data
        study = usage_errors(experiment.sweep.study, data.X, data.y, experiment.validation)
        say(preview(study, before, workers))
        return 0
    say(f"recording in {store}" + (", resuming what is there" if before else ""))
    started = time.perf_counter()  # what a user waits for; nothing but a line of text depends on it
    try:
        results: Results = usage_errors(
            experiment.sweep.run,
            experiment.data.X,
            experiment.data.y,
            validation=experiment.validation,
            objective=experiment.objective,
            n_jobs=n_jobs,
            backend=backend,
            store=store,
            retry=retry,
            source=experiment.source,
        )
    except (KeyboardInterrupt, SystemExit):
        _say_how_to_resume(store)
        raise
    if exit_code(results) == INTERRUPTED:
        # Whoever stops a run wants it to end: there is `sweep table` for the rest.
        _say_how_to_resume(store)
        return INTERRUPTED
    seconds = time.perf_counter() - started
    say("\n".join([trained_line(results, before, seconds), *closing_lines(results)]))
    if "done" in results.states and not results.store_lost:
        say(what_next(store, resume=False))
    return exit_code(results)


def _recorded(store: Path, retry: tuple[str, ...]) -> frozenset[str]:
    """Return the identities that a store has a record of and that stay; none where there is no store yet."""
    if not store.exists() or not store.stat().st_size:
        return frozenset()
    from .store import Store

    with Store.read(store) as opened:
        return frozenset(opened.identities(without=retry))


def _say_how_to_resume(store: Path) -> None:
    from .reporting import what_next

    with contextlib.suppress(OSError):  # of a terminal that was closed, say
        say(what_next(store, resume=True))


# --- sweep status, sweep verify -------------------------------------------------------------------------------


STORE = click.argument("store", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@commands.command()
@STORE
def status(store: Path) -> None:
    """Say how far the sweep in a STORE has come, also while it runs."""
    from .status import Status

    say(Status.of(store))


@commands.command()
@STORE
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Check so many results.  [default: all]")
@click.option("--seed", default=0, show_default=True, help="Which ones: another seed draws other ones.")
@click.option("--n-jobs", default=-1, show_default=True, metavar="N", help="Workers, as in sweep run.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the data files are now, if the experiment's folder has moved.",
)
def verify(store: Path, sample: int | None, seed: int, n_jobs: int, folder: Path | None) -> int:
    """Train again what a STORE holds and compare every number.

    The exit code is 0 if all is the same, 1 if anything differs.

    The store has what was built, and where the data come from; `Sweep.verify` does this for sweeps run in Python.
    """
    from .replay import Replay
    from .store import Store
    from .verification import verify as train_and_compare

    workers, _ = usage_errors(check_workers, n_jobs, "threads", "threads")
    usage_errors(check_seed, seed)
    with Store.read(store) as opened:
        opened.check()
        found = train_and_compare(Replay(store, folder).study, opened, sample, seed, workers)
    say(found)
    return 1 if found.differences else 0


# --- sweep table, sweep plot ----------------------------------------------------------------------------------


def _results(store: Path) -> Results:
    from .results import Results

    return Results.open(store)


@commands.command()
@STORE
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    help="[default: by the name of --out, else table]",
)
@click.option("--out", type=FilePath(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option(
    "--summary/--trials", "summary", default=True, help="A row per configuration (default) or per trial."
)
def table(store: Path, format_: str | None, out: Path | None, summary: bool) -> None:
    """Print what a STORE holds, or write it to a file."""
    from . import export

    chosen = format_ or _format_of(out)
    if chosen == "parquet" and out is None:
        raise click.UsageError("--format parquet needs --out FILE")
    if out is not None:
        _check_out(out)
    results = _results(store)
    frame = results.summary if summary else results.trials
    texts: dict[str, Callable[[], str]] = {
        "table": lambda: export.readable_summary(results) if summary else export.readable_trials(results),
        "csv": lambda: export.as_csv(frame).rstrip("\n"),
        "json": lambda: export.as_json(frame),
    }
    if out is None:
        show(texts[chosen](), whole=chosen != "table")
        return
    content = export.as_parquet(frame) if chosen == "parquet" else f"{texts[chosen]()}\n".encode()
    save(out, content, f": {counted(len(frame), 'configuration' if summary else 'trial')}")


def _format_of(out: Path | None) -> str:
    """Return the format that a file's name stands for; a name that promises another one is a mistake."""
    by_name = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".txt": "table", "": "table"}
    suffix = "" if out is None else out.suffix.lower()
    if suffix not in by_name:
        raise click.UsageError(f"--out {out}: give a name in .csv, .json, .parquet or .txt, or say --format")
    return by_name[suffix]


def _check_out(out: Path) -> None:
    """Raise, before anything is read, if writing a file would take results or an experiment away."""
    from .store import check_no_store

    check_no_store(out, f"--out {out}")
    if out.suffix.lower() == ".toml" and out.exists():
        raise click.UsageError(f"--out {out} is an experiment file: choose another file")


def _kinds() -> list[str]:
    from .plots import Plots

    # A store holds no data, so what draws data points is for Python only.
    return [name for name in vars(Plots) if not name.startswith("_") and name != "decision_boundaries"]


@commands.command(help=f"Draw what a STORE holds, into a file. KIND is one of {', '.join(_kinds())}.")
@STORE
@click.argument("kind", metavar="[KIND]", type=click.Choice(_kinds()), default="comparison")
@click.option("--out", type=FilePath(dir_okay=False, path_type=Path), help="[default: STORE-KIND.png, here]")
@click.option("--metric", help="What to show instead of the objective.")
@click.option("--top", type=click.IntRange(1), help="How many of the best configurations to show.")
@click.option("--x", help="heatmap: the parameter across.")
@click.option("--y", help="heatmap: the parameter upwards.")
@click.option("--parameter", help="slice: one parameter; all of them by default.")
def plot(store: Path, kind: str, out: Path | None, **options: Any) -> None:
    """Draw a plot of a store into a file."""
    out = out or Path(f"{store.stem}-{kind.replace('_', '-')}.png")
    _check_out(out)
    draw = getattr(_results(store).plot, kind)
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in inspect.signature(draw).parameters:
            raise click.UsageError(f"--{name} is not for {kind}")
    drawn = usage_errors(draw, **given)
    figure = (drawn.flat[0] if isinstance(drawn, np.ndarray) else drawn).figure
    image, format_ = io.BytesIO(), out.suffix.lower().removeprefix(".") or "png"
    formats = figure.canvas.get_supported_filetypes()
    if format_ not in formats:
        raise click.UsageError(f"--out {out}: give a name in .{', .'.join(formats)}")
    try:
        usage_errors(figure.savefig, image, format=format_, dpi=150)
    except RuntimeError as error:  # of a program that a format needs and that is not there, such as LaTeX
        raise click.UsageError(f"--out {out}: {error}") from error
    save(out, image.getvalue())


if __name__ == "__main__":
    main()
