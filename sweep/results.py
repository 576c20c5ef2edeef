"""What a sweep found: tables, the best configuration, comparisons, models and plots."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from neuralnet_core import Model, shown

from .garbage import rare_collections
from .jobs import Record, Trial
from .models import Models
from .objective import choose_objective, higher_is_better, rank
from .overview import in_words, overview, overview_html
from .replay import Replay
from .statistics import paired_differences, summarize
from .store import Store
from .tables import (
    PENDING,
    configurations_table,
    curves_table,
    metric_names,
    trials_table,
    varying_columns,
)
from .values import plain_value

if TYPE_CHECKING:
    import pandas

    from .plots import Plots

MOST_PAIRS = 1_000_000


class Results:
    """The trials of a sweep and what came of them, as tables, answers and plots.

    Parameters
    ----------
    trials
        What was to be trained.
    records
        What came of it, by identity; a trial without a record is "pending".
    description
        What the sweep is, as written in the store; ``objective`` names the metric that decides (None: validation
        accuracy or R2, without validation data the training loss).
    train_again
        Trains a trial once more, for models that were not kept.
    kept_models
        Models that were kept, by identity.
    store
        Path of the store the records come from: kept models, and curves where records hold none, are read there.
    interrupted
        Whether a signal ended the run before all was trained.
    store_lost
        Whether the run's store was not there any more at its end.

    Attributes
    ----------
    trials : DataFrame
        A row per trial: trial, configuration, ``params_*``, repeat, fold, seed, state, epoch, metrics, error,
        identity, digest, and last the clock's columns started, seconds (of a network: an equal share of the time of
        all that a worker trained with it), worker.
    summary : DataFrame
        A row per configuration, best first: configuration, ``params_*``, n (trials done), mean, std and 95 % t
        interval of every metric (the t distribution knows no bounds: an accuracy's may pass 1), rank. A configuration
        with a trial that is not done ranks last.
    curves : DataFrame
        A row per trial, metric and epoch: trial, epoch, split, metric, value (float32, as a store has them).
    interrupted : bool
        Whether a signal ended the run that returned these before its end. What it had yet to train is "pending" then,
        what it had yet to try again is what it was before.
    store_lost : bool
        Whether the store was deleted, moved or replaced during the run that returned these: they are in memory alone.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralnet_core import Dense, Momentum, Network
    >>> from sweep import Sweep
    >>> X = np.linspace(-1, 1, 40).reshape(20, 2)
    >>> sweep = Sweep(
    ...     lambda learning_rate: (Network([Dense(1)]), Momentum(learning_rate, epochs=5)),
    ...     {"learning_rate": [1e-5, 1e-1]},
    ...     repeats=3,
    ... )
    >>> results = sweep.run(X, X.sum(axis=1), validation=0.2, n_jobs=1)
    >>> results.best
    {'learning_rate': 0.1}
    >>> results.objective
    'validation_r2'
    >>> results.summary[["params_learning_rate", "n", "rank"]].values.tolist()
    [[0.1, 3.0, 1.0], [1e-05, 3.0, 2.0]]
    >>> results.plot.comparison().get_title("left")
    'validation R²: 2 configurations'
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        records: Mapping[str, Record],
        description: Mapping[str, Any],
        train_again: Callable[[Trial], Model] | None = None,
        *,
        kept_models: Mapping[str, Model] | None = None,
        store: str | os.PathLike[str] | None = None,
        interrupted: bool = False,
        store_lost: bool = False,
    ) -> None:
        self.description = dict(description)
        self._trials = list(trials)
        self._records = records
        self._store = None if store is None else Path(store)
        self._models = Models(train_again, kept_models or {}, self._store)
        self.interrupted = interrupted
        self.store_lost = store_lost
        self._metrics = metric_names(self._recorded())

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Return the results in a store, also while a sweep writes it: as far as it has come.

        Raises
        ------
        StoreError
            If there is no store at the path that can be read.

        Examples
        --------
        >>> import os, tempfile
        >>> from neuralnet_core import Dense, GradientDescent, Network
        >>> from sweep import Results, Sweep
        >>> path = os.path.join(tempfile.mkdtemp(), "line.sweep")
        >>> sweep = Sweep(lambda rate: (Network([Dense(1)]), GradientDescent(rate)), {"rate": [0.01, 0.1]})
        >>> _ = sweep.run([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], store=path)
        >>> Results.open(path).best
        {'rate': 0.1}
        """
        with rare_collections(), Store.read(path) as store, store.snapshot():
            trials, records, description = store.trials(), store.records(curves=False), store.read_sweep()
        replay = Replay(store.path) if description.get("source") else None
        return cls(trials, records, description, replay.train if replay else None, store=store.path)

    # --- Tables -------------------------------------------------------------------------------------------------

    @property
    def trials(self) -> pandas.DataFrame:
        """A row per trial."""
        return self._trials_table.copy()

    @property
    def summary(self) -> pandas.DataFrame:
        """A row per configuration, best first."""
        return self._summary.copy()

    @property
    def curves(self) -> pandas.DataFrame:
        """A row per trial, metric and epoch."""
        return self._curves.copy()

    @property
    def states(self) -> dict[str, int]:
        """How many trials are in each state, the commonest first; what has no record is "pending"."""
        found = (self._records.get(trial.identity) for trial in self._trials)
        return dict(Counter(PENDING if record is None else record.state for record in found).most_common())

    @property
    def objective(self) -> str:
        """The metric that decides which configuration is best."""
        wanted = self.description.get("objective")
        # Where all trials failed, nothing was measured.
        return wanted if wanted and wanted in (self._metrics or [wanted]) else choose_objective(self._metrics)

    # --- Answers ------------------------------------------------------------------------------------------------

    @property
    def best(self) -> dict[str, Any]:
        """The parameters of the configuration that ranks first."""
        best = self._best_configuration()
        return dict(next(trial.params for trial in self._trials if trial.configuration == best))

    def compare(
        self, metric: str | None = None, baseline: int | Mapping[str, Any] | str | None = None
    ) -> pandas.DataFrame:
        """Compare configurations over the repeats and folds they share.

        Parameters
        ----------
        metric
            What to compare; None for the objective.
        baseline
            The configuration that all others are compared with: its number or its parameters; None for the best
            one; ``"all"`` for all pairs.

        Returns
        -------
        DataFrame
            A row per pair, as `sweep.statistics.paired_differences` describes it, with the parameters of `b`
            where these vary. Differences are a minus b, a being the baseline.

        Notes
        -----
        The best configuration is chosen for its luck too: compared with it, others look a little worse than they
        are. A difference that matters deserves fresh repeats of both.
        """
        name = choose_objective(self._metrics, self.objective if metric is None else metric)
        best = self._best_configuration()
        order = [int(number) for number in self._summary["configuration"]]
        if isinstance(baseline, str) and baseline == "all":
            pairs = list(combinations(order, 2)) if len(order) ** 2 <= 2 * MOST_PAIRS else None
            if pairs is None:
                raise ValueError(f"all pairs of {len(order)} configurations are too many; choose a baseline")
            return paired_differences(self._trials_table, name, pairs)
        a = best if baseline is None else self._configuration(baseline)
        frame = paired_differences(self._trials_table, name, [(a, b) for b in order if b != a])
        parameters = self._summary.set_index("configuration")
        for place, column in enumerate(varying_columns(self._summary), start=2):
            frame.insert(place, column, parameters.loc[frame["b"], column].array)
        return frame

    def model(self, trial: int | None = None) -> Model:
        """Return the trained network of a trial: the one that was kept, or the same one trained again.

        Parameters
        ----------
        trial
            The trial's number, as in the column ``trial`` of `trials`; None for the first trial done of the best
            configuration.

        Raises
        ------
        ValueError
            If there is no such trial, if it has no model, if its model was not kept and cannot be trained again, or
            if training again gave another model.
        """
        if trial is None:
            trial = self._first_of_the_best()
        known = isinstance(trial, Integral)
        wanted = next((t for t in self._trials if known and t.trial == trial), None)
        if wanted is None:
            raise ValueError(f"trial must be one of the {len(self._trials)} trials, got {shown(trial)}")
        return self._models.of(wanted, self._records.get(wanted.identity))

    @cached_property
    def plot(self) -> Plots:
        """The plots: ``results.plot.comparison()`` and others, each of which returns Axes."""
        from .plots import Plots

        return Plots(self)

    # --- Inside -------------------------------------------------------------------------------------------------

    def _recorded(self) -> list[Record]:
        return [self._records[t.identity] for t in self._trials if t.identity in self._records]

    @cached_property
    def _trials_table(self) -> pandas.DataFrame:
        return trials_table(self._trials, self._records, self._metrics)

    @cached_property
    def _summary(self) -> pandas.DataFrame:
        table = configurations_table(self._trials).join(summarize(self._trials_table, self._metrics))
        planned = self._trials_table.groupby("configuration").size().reindex(table.index)
        means = table.get(f"mean_{self.objective}", np.full(len(table), np.nan))
        complete = (table["n"] == planned) & np.isfinite(means)
        table["rank"] = rank(means, complete, higher_is_better(self.objective))
        return table.reset_index().sort_values(["rank", "configuration"], ignore_index=True)

    @cached_property
    def _curves(self) -> pandas.DataFrame:
        if self._store is None or any(record.curves for record in self._recorded()):
            return curves_table(self._trials, self._records)
        with Store.read(self._store) as store:
            return curves_table(self._trials, store.records())

    def _best_configuration(self) -> int:
        if not self._summary["n"].any():
            errors = [record.error for record in self._recorded() if record.error]
            raise ValueError(
                f"no trial is done ({in_words(self.states)})" + (f": {errors[0]}" if errors else "")
            )
        return int(self._summary["configuration"].iloc[0])

    def _first_of_the_best(self) -> int:
        best, table = self._best_configuration(), self._trials_table
        return int(table.loc[(table["configuration"] == best) & (table["state"] == "done"), "trial"].iloc[0])

    def _configuration(self, baseline: int | Mapping[str, Any] | str) -> int:
        """Return the number of the configuration that `compare` was given."""
        known = {one.configuration: one.params for one in self._trials}
        if isinstance(baseline, Integral) and int(baseline) in known:
            return int(baseline)
        if isinstance(baseline, Mapping):
            with contextlib.suppress(Exception):  # a value that cannot even be shown is none of the space's
                wanted = _plain(baseline)
                same = [number for number, params in known.items() if _plain(params) == wanted]
                if same:
                    return same[0]
        raise ValueError(
            f"baseline must be a configuration's number or parameters, or 'all', got {shown(baseline)}"
        )

    def __repr__(self) -> str:
        return overview(self)

    def _repr_html_(self) -> str:
        return overview_html(self)


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain_value(value) for name, value in params.items()}
