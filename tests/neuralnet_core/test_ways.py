"""The contract of every way to train: whatever the lanes are, in any module and company, the bits are the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from neuralnet_core import (
    Adam,
    AdamW,
    Dense,
    Dropout,
    EarlyStopping,
    GradientDescent,
    Model,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    engine_info,
    train_many,
)
from neuralnet_core.engine import _cpu
from neuralnet_core.engine.dispatch import kernel
from neuralnet_core.packing import Pack
from neuralnet_core.plans import CHUNK
from neuralnet_core.ways import Mode, Way

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(1103, 5))
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] * X[:, 2] > 0)
TARGETS = np.c_[X[:, 0] * X[:, 1], np.abs(X[:, 2])]
HELD_OUT = np.arange(1003, 1103)

CLASSIFIER = Network([Dense(19, "relu"), Dense(3)], loss="softmax_cross_entropy")
DEEP = Network([Dense(17, "tanh"), Dense(9, "gelu"), Dense(2)])
DROPPED = Network([Dropout(0.1), Dense(21, "relu"), Dropout(0.4), Dense(2)], loss="huber")
# More activations than the first cache holds, and one unit above them: these go by columns, forward and, where no other
# dense layer is below, back. A slope that is kept goes with them.
ONE_UNIT = Network([Dense(59, "relu"), Dense(1)])
ONE_UNIT_DROPPED = Network([Dropout(0.1), Dense(61, "softplus"), Dense(1, "tanh")])
ONE_UNIT_APART = Network([Dense(61, "sigmoid"), Dropout(0.4), Dense(1)])
ONE_UNIT_DEEP = Network([Dense(9, "tanh"), Dense(70, "gelu"), Dense(1)], loss="binary_cross_entropy")
STOPS = EarlyStopping(patience=1, min_delta=0.02)


@dataclass(frozen=True)
class Row:
    """A training: of which network, how, on how many rows."""

    network: Network
    optimizer: Optimizer
    rows: int = 257
    weighted: bool = False
    validated: bool = False

    def train(self, dtype: str, packs: list[Pack] | None = None, count: int = 1) -> list[tuple[Any, ...]]:
        """Return all that comes of the network, first, and of neighbours with other rates, widths and seeds."""
        hidden, output = self.network.layers[:-1], self.network.layers[-1]
        widths = [
            Network([*(_wider(layer, by) for layer in hidden), output], self.network.loss)
            for by in (0, 14, 5)
        ]
        networks = [widths[place % 3] for place in range(count)]
        rates = [self.optimizer.learning_rate * (1 + place % 4) for place in range(count)]
        rows = np.arange(self.rows)
        models = train_many(
            networks,
            [replace(self.optimizer, learning_rate=rate) for rate in rates],
            X,
            self.targets(),
            seeds=[7 + place // 5 for place in range(count)],
            rows=[rows] * count,
            validation_rows=[HELD_OUT] * count if self.validated else None,
            sample_weight=1.0 + np.arange(len(X)) % 3 if self.weighted else None,
            dtype=dtype,
            packs=packs,
        )
        return [bits(model) for model in models]

    def targets(self) -> np.ndarray:
        """Return what the network's loss and its number of outputs ask for."""
        match self.network.loss:
            case "softmax_cross_entropy":
                return LABELS
            case "binary_cross_entropy":
                return LABELS > 0
            case _:
                return TARGETS[:, : self.network.layers[-1].units]


def bits(model: Model) -> tuple[Any, ...]:
    """Return all that came of a training."""
    history = (values.tobytes() for values in model.history_arrays.values())
    return model.state, model.epoch, model.digest(), *history


def _wider(layer: Any, by: int) -> Any:
    if isinstance(layer, Dense):
        return replace(layer, units=layer.units + by)
    return replace(layer, rate=0.2) if by else layer


ROWS = {
    "257 samples at once": Row(CLASSIFIER, GradientDescent(0.05, epochs=3, batch_size=None)),
    "1000 samples at once": Row(DEEP, Adam(0.01, epochs=3, batch_size=None), rows=1000),
    "1003 samples at once": Row(DEEP, AdamW(0.01, epochs=3, batch_size=None), rows=1003, validated=True),
    "1003 samples, clipped": Row(CLASSIFIER, Momentum(0.02, epochs=3, batch_size=None, clip_norm=0.3), rows=1003),
    "sliced and a short last": Row(DEEP, RMSprop(0.01, epochs=2, batch_size=300), rows=1000, weighted=True),
    "small batches": Row(CLASSIFIER, Momentum(0.02, epochs=2, batch_size=33), validated=True),
    "batches of 256": Row(DEEP, Adam(0.01, epochs=2, batch_size=256), rows=1000),
    "one by one": Row(CLASSIFIER, GradientDescent(0.01, epochs=1, batch_size=1), rows=40),
    "clipping": Row(DEEP, GradientDescent(0.1, epochs=2, clip_norm=0.1)),
    "l1 and l2": Row(DEEP, Momentum(0.02, epochs=2, nesterov=True, l1=1e-3, l2=1e-2)),
    "weights": Row(CLASSIFIER, Adam(0.01, epochs=2), weighted=True),
    "dropout": Row(DROPPED, RMSprop(0.01, epochs=2), validated=True),
    "dropout, 1003 samples at once": Row(DROPPED, Adam(0.01, epochs=3, batch_size=None), rows=1003),
    "early stopping": Row(
        CLASSIFIER, Adam(0.05, epochs=40, early_stopping=STOPS), rows=400, validated=True
    ),
    "early stopping, the last epoch kept": Row(
        DEEP, Adam(0.05, epochs=40, early_stopping=replace(STOPS, restore_best=False)), validated=True
    ),
    "divergence": Row(DEEP, GradientDescent(0.6, epochs=90, batch_size=64)),
    "no shuffling": Row(CLASSIFIER, Adam(0.01, epochs=2, shuffle=False)),
    "one unit": Row(ONE_UNIT, Momentum(0.01, epochs=2, batch_size=33), validated=True),
    "one unit, 1003 samples at once": Row(
        ONE_UNIT, GradientDescent(0.01, epochs=3, batch_size=None), rows=1003, weighted=True, validated=True
    ),
    "one unit, penalties": Row(ONE_UNIT, GradientDescent(0.01, epochs=2, l1=1e-3, l2=1e-2)),
    "one unit, divergence": Row(ONE_UNIT, GradientDescent(0.9, epochs=40, batch_size=64)),
    "one unit, dropout below": Row(ONE_UNIT_DROPPED, Adam(0.01, epochs=2, batch_size=100), validated=True),
    "one unit, dropout between": Row(ONE_UNIT_APART, Momentum(0.01, epochs=2), validated=True),
    "one unit, deep": Row(ONE_UNIT_DEEP, RMSprop(0.01, epochs=2, clip_norm=0.1), weighted=True),
}  # fmt: skip


def alone(mode: Mode, instruction_set: str, count: int = 1) -> list[Pack]:
    """Return packs of one network each."""
    return [Pack((place,), Way(mode, instruction_set), 0.0) for place in range(count)]


def together(instruction_set: str, dtype: str, count: int) -> list[Pack]:
    """Return packs of as many networks as there are lanes, in no order."""
    lanes, way = kernel(dtype, instruction_set).lanes, Way("networks", instruction_set)
    members = [place * 7 % count for place in range(count)]
    return [Pack(tuple(members[start : start + lanes]), way, 0.0) for start in range(0, count, lanes)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
@pytest.mark.filterwarnings("ignore:.*diverged:RuntimeWarning")
def test_every_way_gives_the_same_bits(name: str, dtype: str) -> None:
    row = ROWS[name]
    count = 2 + max(kernel(dtype, one).lanes for one in _cpu.supported())  # more than one register holds
    # By the widest instructions here: those of every processor may have to call a function for each product.
    expected = row.train(dtype, alone("networks", engine_info().instruction_set, count), count)
    assert len(set(expected)) > 1
    for instruction_set in _cpu.supported():
        for mode in ("networks", "units", "slices"):
            assert row.train(dtype, alone(mode, instruction_set)) == expected[:1], (mode, instruction_set)
        packed = row.train(dtype, together(instruction_set, dtype, count), count)
        assert packed == expected, instruction_set
    assert row.train(dtype, None, count) == expected


@pytest.mark.parametrize("samples", [1, 5, 32, 33, 200])
@pytest.mark.parametrize("mode", ["networks", "units", "slices"])
def test_how_many_samples_go_through_at_a_time_changes_no_bit(
    mode: Mode, samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        ROWS[name] for name in ("1003 samples at once", "small batches", "dropout", "weights", "one unit")
    ]
    expected = [row.train("float32", alone(mode, "baseline")) for row in rows]
    monkeypatch.setitem(CHUNK, mode, samples)
    assert [row.train("float32", alone(mode, "baseline")) for row in rows] == expected


def test_few_columns_and_many_samples_at_a_time_are_within_their_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = Row(
        Network([Dense(5, "tanh"), Dense(1)]), GradientDescent(0.01, epochs=2, batch_size=256), rows=256
    )
    instruction_set = engine_info().instruction_set
    expected = row.train("float32", alone("networks", instruction_set))
    monkeypatch.setitem(CHUNK, "networks", 256)
    assert row.train("float32", alone("networks", instruction_set)) == expected


@pytest.mark.parametrize("batch_size", [None, 33])
@pytest.mark.parametrize(
    "held_out", [1, 7, 255, 256, 257, 258, 1003, 6000]
)  # so many that stay gathered, and more
@pytest.mark.parametrize("mode", ["networks", "units", "slices"])
def test_what_an_epoch_is_validated_at_is_the_loss_of_the_model_there(
    mode: Mode, held_out: int, batch_size: int | None
) -> None:
    validation = np.resize(X, (held_out, X.shape[1])), np.resize(LABELS, held_out)
    models = [
        train_many(
            CLASSIFIER,
            Adam(0.01, epochs=epochs, batch_size=batch_size),
            X[:300],
            LABELS[:300],
            seeds=7,
            validation=validation,
            packs=alone(mode, engine_info().instruction_set),
        )[0]
        for epochs in (1, 2, 3)
    ]
    history = models[-1].history_arrays
    assert history["validation_loss"].tolist() == [model.loss(*validation) for model in models]
    assert history["validation_accuracy"].tolist() == [model.score(*validation) for model in models]


def test_the_rows_do_what_their_names_say() -> None:
    (stopped,) = ROWS["early stopping"].train("float64")
    assert stopped[1] < 40
    with pytest.warns(RuntimeWarning, match="diverged"):
        assert ROWS["divergence"].train("float64")[0][0] == "diverged"
    row = ROWS["clipping"]
    assert row.train("float64") != replace(row, optimizer=replace(row.optimizer, clip_norm=None)).train(
        "float64"
    )
