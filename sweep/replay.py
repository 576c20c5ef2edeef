"""Training again from a store alone: what was built stands in it, and where the data come from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from neuralnet_core import Model, check_seed

from .data import Data
from .errors import DataError, UserError
from .jobs import Trial
from .labels import printable
from .splits import Splits
from .store import Store
from .study import Study

__all__ = ["Replay"]


class Replay:
    """The study that a store was written for, made again from the store; reading the data waits until it is asked for.

    Parameters
    ----------
    path
        The store.
    folder
        Where the files of its data are now, if these have moved.

    Raises
    ------
    UserError
        If it has results of a function.
    DataError
        If the store does not say where its data come from (a sweep run in Python is given them), if these cannot
        be read, or if what was built is not in the store.
    """

    def __init__(self, path: Path, folder: Path | None = None) -> None:
        self._path, self._folder = path, folder

    @cached_property
    def study(self) -> Study:
        """The study: identities in it are those of the store exactly if the data are the same."""
        with Store.read(self._path) as store, store.snapshot():
            description, trials = store.read_sweep(), sum(store.states().values())
            built = store.configurations(str(description.get("dtype")))
        self._check_networks(description)
        dtype, seed, repeats = (self._given(description, name) for name in ("dtype", "seed", "repeats"))
        if all(one.network is None and one.error is None for one in built):
            raise DataError(f"{self._path} does not say what was built: run its sweep on it once more")
        if len(built) * repeats != trials:
            raise DataError(f"{self._path} has {trials} trials, not {repeats} of each of its configurations")
        data, fraction = self._data(description)
        try:
            return Study.of(built, dtype, repeats, Splits(data, fraction, check_seed(seed)))
        except (TypeError, ValueError) as error:
            raise DataError(f"{self._path}: {error}") from None

    def train(self, trial: Trial) -> Model:
        """Train a trial of the store once more; its model is the same."""
        if trial.identity not in self.study.jobs:
            raise DataError(
                f"{self._path}: trial {trial.trial} was trained on other data, or by another version"
            )
        return self.study.train_again(trial)

    def _check_networks(self, description: Mapping[str, Any]) -> None:
        if functions := description.get("functions"):
            name = printable(next(iter(functions)).partition(" ")[0].rpartition(".")[2])
            raise UserError(
                f"{self._path} has results of a function, and not the function: verify them in Python, where"
                f" Sweep(function={name}, ...).verify(X, y, store={self._path.name!r}) calls it again"
            )

    def _data(self, description: Mapping[str, Any]) -> tuple[Data, float | None]:
        """Return the data, and the share of them to validate on."""
        from .config import load_source  # an experiment's data: pydantic, and scikit-learn or pandas

        loaded = load_source(self._given(description, "source"), self._folder)
        fraction = loaded.validation if isinstance(loaded.validation, float) else None
        held_out = loaded.validation if isinstance(loaded.validation, tuple) else None
        try:
            return Data.of(loaded.data.X, loaded.data.y, held_out, None, description["dtype"]), fraction
        except (TypeError, ValueError) as error:
            raise DataError(f"{loaded.data.name}: {error}") from None

    def _given(self, description: Mapping[str, Any], key: str) -> Any:
        value = description.get(key)
        if value is None:
            missing = "where its data come from" if key == "source" else f"its {key}"
            raise DataError(
                f"{self._path} does not say {missing}; a sweep run in Python is verified there, by"
                f" Sweep(...).verify(X, y, store={str(self._path)!r})"
            )
        return value
