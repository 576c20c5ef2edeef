"""Experiment files: what they mean."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
from experiment_files import GOOD

from neuralnet_core import Adam, CosineDecay, Dense, Dropout, EarlyStopping, Network, WarmUp
from sweep.config import Experiment

Load = Callable[..., Experiment]


def test_a_file_builds_what_python_would(load: Load) -> None:
    experiment = load(GOOD)
    sweep = experiment.sweep
    assert (experiment.name, sweep.repeats, sweep.seed, sweep.dtype) == ("x", 3, 0, "float32")
    assert (experiment.validation, experiment.objective) == (0.2, None)
    assert sweep.space.names == ("hidden", "activation", "learning_rate")
    assert sweep.space[1] == {"hidden": 4, "activation": "relu", "learning_rate": 0.01}
    layers = [Dense(4, "relu"), Dropout(0.1), Dense(1)]
    assert sweep.build(**sweep.space[1]) == (
        Network(layers, loss="binary_cross_entropy"),
        Adam(0.01, epochs=4),
    )


def test_references_reach_schedules_and_early_stopping(load: Load) -> None:
    experiment = load(
        GOOD.replace("epochs = 4", 'epochs = 4\nearly_stopping = {patience = "$patience"}'),
        'optimizer.learning_rate={type="WarmUp", updates="$learning_rate"}',
        'optimizer.learning_rate.after={type="CosineDecay", initial=0.1, updates=9}',
        "space.learning_rate=[1, 2]",
        "space.patience=[3]",
    )
    _, optimizer = experiment.sweep.build(hidden=4, activation="relu", learning_rate=2, patience=3)
    assert optimizer.learning_rate == WarmUp(2, CosineDecay(0.1, 9))
    assert optimizer.early_stopping == EarlyStopping(patience=3)


@pytest.mark.parametrize(
    ("overrides", "updates"),
    [
        ([], 4 * 5),  # 160 training rows in minibatches of 32
        (["optimizer.epochs=7"], 7 * 5),
        (["optimizer.batch_size=full"], 4),
        (["optimizer.batch_size=150"], 4 * 2),
        (["validation=0.5"], 4 * 4),
        (["validation.fraction=0.011"], 4 * 7),  # 3 of 200 rows are held out
    ],
)
def test_updates_all_is_as_many_as_the_training_has(load: Load, overrides: list[str], updates: int) -> None:
    schedule = 'optimizer.learning_rate={type="CosineDecay", initial="$learning_rate", updates="all"}'
    text = GOOD.replace("validation = 0.2", "validation = {fraction = 0.2}")
    experiment = load(text, schedule, *overrides)
    _, optimizer = experiment.sweep.build(**experiment.sweep.space[0])
    assert optimizer.learning_rate == CosineDecay(0.001, updates)


def test_updates_all_counts_the_rows_that_a_run_trains_on(load: Load) -> None:
    experiment = load(GOOD, "data.n_samples=203", "validation=0.21")
    results = experiment.sweep.run(experiment.data.X, experiment.data.y, validation=0.21, progress=False)
    model = results.model(0)
    assert experiment.sweep.build.rows == 203 - 43
    assert model.state == "done"


def test_none_and_full_stand_for_none(load: Load) -> None:
    experiment = load(GOOD, "optimizer.clip_norm=none", "optimizer.batch_size=full")
    _, optimizer = experiment.sweep.build(**experiment.sweep.space[0])
    assert optimizer.clip_norm is None
    assert optimizer.batch_size is None


def test_layers_may_be_a_parameter(load: Load) -> None:
    experiment = load(
        GOOD,
        "network.layers=$layers",
        "space={learning_rate=[0.1]}",
        'space.layers=[[{type="Dense", units=1}], [{type="Dense", units=2}, {type="Dense", units=1}]]',
    )
    depths = [len(experiment.sweep.build(**params)[0].layers) for params in experiment.sweep.space]
    assert depths == [1, 2]


def test_distributions_are_drawn_from(load: Load) -> None:
    experiment = load(
        GOOD, "samples=20", 'space.learning_rate={distribution="loguniform", low=1e-3, high=1e-1}'
    )
    rates = [params["learning_rate"] for params in experiment.sweep.space]
    assert len(set(rates)) == len(rates) == 20
    assert all(1e-3 <= rate <= 1e-1 for rate in rates)


def test_a_list_of_spaces_is_their_union(load: Load) -> None:
    space = GOOD[GOOD.index("[space]") :].replace("[space]", "[[space]]")
    experiment = load(GOOD[: GOOD.index("[space]")] + space + space.replace("[4, 8]", "[16]"))
    assert experiment.sweep.space.size == 8 + 4


def test_the_build_function_can_be_pickled(load: Load) -> None:
    build = load(GOOD).sweep.build
    params = {"hidden": 4, "activation": "relu", "learning_rate": 0.1}
    assert pickle.loads(pickle.dumps(build))(**params) == build(**params)
