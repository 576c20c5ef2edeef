"""Sweep: a build function, a space and repeats; `run` trains every trial and returns the answers."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from numbers import Real
from typing import Any

from numpy.typing import ArrayLike

from neuralnet_core import (
    Model,
    check_dtype,
    check_flag,
    check_integer,
    check_seed,
    shown,
)

from .data import Data
from .description import describe
from .execution import check_workers
from .functions import Function
from .garbage import rare_collections
from .jobs import Build, check_parameters, configurations
from .labels import counted
from .objective import check_objective
from .progress import progress_for
from .recording import Recorder, states_to_retry
from .results import Results
from .space import Space
from .splits import Splits, check_validation
from .store import Store
from .study import Study
from .telling import call_to_run_one, tell
from .values import check_source
from .verification import Verification, verify

__all__ = ["Sweep"]

MOST_TRIALS = 10**7  # a trial takes about a kilobyte in a run; what is beyond this is a slip in the space


@dataclass(frozen=True)
class Sweep:
    """Many configurations of a network, or of a function of your own, each trained `repeats` times.

    Every configuration of one repeat has the same seed, hence the same split, the same stream of initial
    draws and the same minibatch order (common random numbers), which makes comparisons sharp. Seeds are a
    function of (`seed`, repeat, fold) alone.

    Parameters
    ----------
    build : callable
        ``build(**params) -> (network, optimizer)``, called once per configuration, in this process only.
        What it raises makes that configuration's trials "failed"; the rest goes on.
        Give this or `function`.
    space : dict or list of dict
        What to try. A dict of lists is a grid, a list of dicts the union of theirs. With a distribution in place
        of a list (`uniform`, `loguniform`, `randint`, `choice`), `samples` configurations are drawn.
    repeats : int
        Trainings of each configuration.
    seed : int
        The root seed.
    dtype : {"auto", "float32", "float64"}
        The numbers that networks are trained with, or that a function gets its X in; "auto" is float32 for networks
        and float64 for a function.
    samples : int, optional
        Configurations to draw from a space with distributions (or from a grid too large to train whole).
    function : callable
        In place of `build`: ``function(params, seed, X, y) -> dict of metrics``, called for every trial with the
        rows it is to train on, in processes of its own. See Notes.
    version : str or int
        Your word for what `function` computes: part of what its results are known by. Change it, and all is run
        anew.

    Notes
    -----
    A function is called with a dict of parameters, a seed (an integer < 2**32, the same for all configurations of
    a repeat), and X and y as arrays; all of that is its own to change. If it has a parameter ``validation``, it
    gets the held-out rows by that name, as a pair (Xv, yv), or None; likewise ``sample_weight``. It returns numbers
    by name, such as ``{"validation_accuracy": 0.97}``. A number that is not finite makes the trial "diverged";
    anything else that is wrong, and what it raises, "failed".

    Its results are known by its module and name, `version`, parameters, seed, data and rows. Its text is recorded
    too: if that changed, `run` says so instead of mixing old results with new ones. What it calls is not looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from neuralnet_core import Adam, Dense, Network
    >>> def build(hidden, learning_rate):
    ...     network = Network([Dense(hidden, "tanh"), Dense(1)], loss="mse")
    ...     return network, Adam(learning_rate, epochs=5)
    >>> sweep = Sweep(build, {"hidden": [4, 8], "learning_rate": [1e-3, 1e-2]}, repeats=3)
    >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
    >>> results = sweep.run(X, X[:, 0] ** 2, validation=0.2)
    >>> len(results.trials), results.objective
    (12, 'validation_r2')

    A function of your own, here a polynomial:

    >>> def fit(params, seed, X, y, validation):
    ...     curve = np.polynomial.Polynomial.fit(X[:, 0], y, params["degree"])
    ...     held_out, expected = validation
    ...     return {"validation_mse": np.mean((curve(held_out[:, 0]) - expected) ** 2)}
    >>> sweep = Sweep(function=fit, space={"degree": [0, 1, 2]}, repeats=3)
    >>> sweep.run(X, X[:, 0] ** 2, validation=0.2, n_jobs=1).best
    {'degree': 2}
    """

    build: Build | None = None
    space: Any = None
    repeats: int = 1
    seed: int = 0
    dtype: str = "auto"
    samples: int | None = None
    function: Callable[..., Any] | None = field(default=None, kw_only=True)
    version: str | int = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if self.function is not None:
            if self.build is not None:
                raise TypeError("give build or function, not both")
            Function.of(self.function, self.version)
        elif not callable(self.build):
            raise TypeError(
                f"build must be a function that returns (network, optimizer), got {shown(self.build)}"
            )
        elif self.version != "":
            raise TypeError("version is for function=; a network's results are known by what build makes")
        if isinstance(self.dtype, str) and self.dtype == "auto":
            object.__setattr__(self, "dtype", "float32" if self.function is None else "float64")
        object.__setattr__(self, "repeats", check_integer("repeats", self.repeats, at_least=1))
        object.__setattr__(self, "seed", check_seed(self.seed))
        check_dtype(self.dtype)
        object.__setattr__(self, "space", Space.of(self.space, self.samples, self.seed))
        if self.space.size * self.repeats > MOST_TRIALS:
            raise ValueError(
                f"{counted(self.space.size, 'configuration')} x {counted(self.repeats, 'repeat')} are more than"
                f" {MOST_TRIALS:,} trials; give samples=, the number of configurations to draw, or fewer repeats"
            )
        if self.build is not None:
            check_parameters(self.build, self.space)

    def run(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        validation: float | tuple[ArrayLike, ArrayLike] | None = None,
        n_jobs: int = -1,
        store: str | os.PathLike[str] | None = None,
        backend: str = "auto",
        objective: str | None = None,
        keep_models: bool = False,
        sample_weight: ArrayLike | None = None,
        progress: bool | str = True,
        timeout: float | None = None,
        accept_changed: bool = False,
        retry: str | Collection[str] = (),
        source: Mapping[str, Any] | None = None,
    ) -> Results:
        """Train every trial and return the results.

        Ctrl-C ends the run within a moment. If anything was recorded by then, the results so far are returned, and one
        line says so: the rest is "pending", what was to be tried again is what it was. Otherwise KeyboardInterrupt goes
        on. SIGTERM and SIGHUP end it in the same way, and then the program, by SystemExit. With a store, the same call
        trains what is missing.

        If the store is deleted, moved or replaced meanwhile, a line says so at the end, and the results are in memory
        alone, without learning curves.

        In processes a trial that crashes its worker runs again alone; one that crashes alone twice is "quarantined",
        and its error says how to run it by itself. All others go on.

        Parameters
        ----------
        X : array of shape (n, ...)
        y : array of shape (n,) or (n, outputs)
            Class labels (numbers or strings) or numbers, as the loss of the networks wants.
        validation : float, pair (Xv, yv) or None
            A fraction of the rows, drawn anew for each repeat (stratified for class labels); data of its own;
            or none.
        n_jobs : int
            Workers, as in joblib: -1 is every CPU.
        store : path or None
            The SQLite file to record in. What is recorded there is not trained again.
        backend : {"auto", "threads", "processes", "sequential"}
            Where chunks run; "auto" is threads for networks, processes for a function. The results are the same.
        objective : str, optional
            The metric that decides: validation_accuracy or validation_r2 by default, train_loss without
            validation; with a function that returns none of these, the first metric by name. Lower is better if a
            metric is called so: if it ends in loss, error, mse, rmse, mae or deviance.
        keep_models : bool
            Keep every trained network. Without it, `results.model` trains the one it is asked for again.
        sample_weight : array of shape (n,), optional
        progress : bool or "plain"
            A bar in a terminal or a notebook; "plain" for lines on standard error anywhere.
        timeout : float, optional
            The most seconds that one call of a function may take, in processes; the trial is "timeout" then.
        accept_changed : bool
            Go on with what is recorded though the text of the function has changed since.
        retry : str or collection of str
            Which of the recorded trials without a result to run again: "failed", "timeout", "quarantined".
        source : dict, optional
            Where sweep and data come from, in values of JSON; kept with the store's description.

        Raises
        ------
        ValueError, TypeError
            If an argument or the data break a rule.
        StoreError
            If the store cannot be read or written.
        WorkersDieError
            If worker processes die faster than trials end.
        KeyboardInterrupt
            After Ctrl-C, if nothing was recorded yet.
        """
        workers, backend = self._check_workers(n_jobs, backend, timeout)
        check_flag("accept_changed", accept_changed)
        if check_flag("keep_models", keep_models) and self.function is not None:
            raise ValueError("keep_models is for networks; let the function write what you want to keep")
        states_to_retry(retry)  # before anything is made
        check_source(source)
        with ExitStack() as stack:
            if self.function is None:  # what a function makes is its own business
                stack.enter_context(rare_collections())
            study = self.study(X, y, validation, sample_weight)
            decides = check_objective(objective, study.networks, validation is not None)
            display = progress_for(progress, decides)
            description = describe(self, study, decides, source)
            opened = None if store is None else stack.enter_context(Store.open(store))
            recorder = Recorder(study, opened, retry)
            recorder.begin(description, accept_changed)
            limits = {"timeout": timeout, "describe": partial(call_to_run_one, study)}
            interruption = recorder.train(workers, backend, keep_models, display, **limits)
            lost = opened is not None and not opened.is_in_place()
        tell(study, recorder, interruption, store, lost=lost)
        return Results(
            study.trials,
            recorder.records,
            description,
            study.train_again,
            kept_models=recorder.models,
            store=None if lost else store,
            interrupted=bool(recorder.waiting),
            store_lost=lost,
        )

    def verify(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        store: str | os.PathLike[str],
        validation: float | tuple[ArrayLike, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
        sample: int | None = None,
        seed: int = 0,
        n_jobs: int = -1,
        backend: str = "auto",
        timeout: float | None = None,
    ) -> Verification:
        """Train again what a store records of this sweep, and compare; the store is only read.

        A function is called again. If it gives other numbers, that need not be the store's fault.

        Parameters
        ----------
        X, y, validation, sample_weight, n_jobs, backend, timeout
            As in `run`.
        store : path
        sample : int, optional
            How many results to check; all of them by default.
        seed : int
            Which ones: another seed draws other ones.

        Returns
        -------
        Verification
            Its ``differences`` are empty if every state, epoch, digest, metric and curve is the recorded one.

        Examples
        --------
        >>> import os, tempfile
        >>> from neuralnet_core import Dense, GradientDescent, Network
        >>> path = os.path.join(tempfile.mkdtemp(), "line.sweep")
        >>> sweep = Sweep(lambda rate: (Network([Dense(1)]), GradientDescent(rate)), {"rate": [0.01, 0.1]})
        >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
        >>> _ = sweep.run(X, y, store=path)
        >>> print(sweep.verify(X, y, store=path))
        trained again: 2 of 2 results; all are the same
        """
        if sample is not None:
            sample = check_integer("sample", sample, at_least=1)
        seed = check_seed(seed)
        workers, backend = self._check_workers(n_jobs, backend, timeout)
        study = self.study(X, y, validation, sample_weight)
        limits = {"timeout": timeout, "describe": partial(call_to_run_one, study)}
        with Store.read(store) as opened:
            return verify(study, opened, sample, seed, workers, backend, **limits)

    def study(
        self,
        X: ArrayLike,
        y: ArrayLike,
        validation: float | tuple[ArrayLike, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Study:
        """Return all that `run` would do with this data, checked and worked out, but nothing trained."""
        fraction, held_out = check_validation(validation)
        data = Data.of(X, y, held_out, sample_weight, self.dtype)
        splits = Splits(data, fraction, self.seed)
        if self.build is not None:
            built = configurations(self.build, self.space, data.input_shape, self.dtype)
            return Study.of(built, self.dtype, self.repeats, splits)
        function = Function.of(self.function, self.version)
        function.check_given(validation=validation, sample_weight=sample_weight)
        return Study.of_function(function, self.space, self.repeats, splits)

    def run_trial(
        self,
        trial: int | str,
        X: ArrayLike,
        y: ArrayLike,
        *,
        validation: float | tuple[ArrayLike, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Model | dict[str, float]:
        """Train one trial in this process, where it can be watched: nothing is caught, and nothing recorded.

        Parameters
        ----------
        trial : int or str
            Its number, or the beginning of its identity.
        X, y, validation, sample_weight
            As in `run`.

        Returns
        -------
        Model or dict
            The network, or the metrics that the function gave back.

        Examples
        --------
        >>> def fit(params, seed, X, y):
        ...     return {"total": (X[:, 0] * y).sum() * params["factor"]}
        >>> Sweep(function=fit, space={"factor": [1, 10]}).run_trial(1, [[1.0], [2.0]], [1.0, 1.0])
        {'total': 30.0}
        """
        study = self.study(X, y, validation, sample_weight)
        return study.run(study.trial(trial))

    def _check_workers(self, n_jobs: int, backend: str, timeout: float | None) -> tuple[int, str]:
        """Return (workers, back end), or say in one line what does not go with what is run."""
        workers, backend = check_workers(n_jobs, backend, "threads" if self.function is None else "processes")
        if self.function is None and timeout is not None:
            raise ValueError("timeout is for function=; a network ends with its epochs")
        if timeout is not None and backend != "processes":
            raise ValueError(f"timeout needs processes, whose workers can be killed; got backend {backend!r}")
        seconds = isinstance(timeout, Real) and not isinstance(timeout, bool)
        if timeout is not None and not (seconds and 0 < timeout < math.inf):
            raise ValueError(f"timeout must be a number of seconds > 0, got {shown(timeout)}")
        if timeout is not None and timeout > sys.float_info.max:
            raise ValueError(
                f"timeout must be a number of seconds > 0 within double precision, got {shown(timeout)}"
            )
        return workers, backend
