"""Whatever networks are trained together, each is to the byte what it is alone: drawn at random, and shrunk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from neuralnet_core import (
    ACTIVATIONS,
    LOSSES,
    Adam,
    AdamW,
    CosineDecay,
    Dense,
    Dropout,
    EarlyStopping,
    GradientDescent,
    Model,
    Momentum,
    Network,
    Optimizer,
    RMSprop,
    train_many,
)

# Strategies are made once: what is drawn for every network would be made and checked again for each.
OPTIMIZERS: dict[type[Optimizer], dict[str, st.SearchStrategy[Any]]] = {
    GradientDescent: {},
    Momentum: {"momentum": st.sampled_from([0.0, 0.5, 0.9])},
    RMSprop: {"decay": st.sampled_from([0.5, 0.9])},
    Adam: {"beta1": st.sampled_from([0.5, 0.9])},
    AdamW: {"weight_decay": st.sampled_from([0.0, 0.1])},
}
DIVERGES = 1e30
BEYOND = 1e39  # what float32 holds
RATES = st.sampled_from([1e-4, 1e-3, 1e-2, 0.1, 1.0, DIVERGES, BEYOND])
EVERY_OPTION = {
    "l1": st.sampled_from([0.0, 1e-3]),
    "l2": st.sampled_from([0.0, 1e-3, 0.1]),
    "clip_norm": st.sampled_from([None, 0.1, 5.0]),
}
DECAYS = st.booleans()
# Rows and minibatches on both sides of what the engine does at once: 32 and 128 samples, 256 in one sum.
ROWS = [5, 31, 33, 70, 150, 256, 257, 600]
BATCHES = [1, 7, 32, 33, 64, 100, 150, 256, 290, None]
WIDTHS = st.sampled_from([1, 2, 3, 7, 8, 9, 16, 17, 33, 40])
DROPPED = st.sampled_from([0.0, 0.3, 0.7])
COUNTS = [1, 2, 7, 8, 9, 16, 17, 33]


@dataclass(frozen=True)
class Together:
    """Networks to train together, and on what."""

    networks: list[Network]
    optimizers: list[Optimizer]
    seeds: list[int]
    rows: list[np.ndarray | None]
    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    dtype: str

    def train(self, order: list[int]) -> list[Model]:
        """Return the models of these networks, in this order, trained in one call."""
        return train_many(
            [self.networks[place] for place in order],
            [self.optimizers[place] for place in order],
            self.X,
            self.y,
            seeds=[self.seeds[place] for place in order],
            rows=[self.rows[place] for place in order],
            sample_weight=self.weights,
            dtype=self.dtype,
        )


@st.composite
def optimizers(draw: st.DrawFn, kind: type[Optimizer], **shared: Any) -> Optimizer:
    """Draw an optimizer whose every number is its own."""
    rate = draw(RATES)
    own = {name: draw(values) for name, values in (EVERY_OPTION | OPTIMIZERS[kind]).items()}
    return kind(CosineDecay(rate, updates=10) if draw(DECAYS) else rate, **own, **shared)


@st.composite
def networks(draw: st.DrawFn, activations: list[str], dropout: bool, outputs: int, loss: str) -> Network:
    """Draw the widths of a network, and how much each of its layers drops."""
    layers: list[Any] = []
    for activation in activations:
        layers.append(Dense(draw(WIDTHS), activation))
        if dropout:
            layers.append(Dropout(draw(DROPPED)))
    return Network([*layers, Dense(outputs)], loss)


def data(loss: str, n: int, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(n)
    X = random.normal(size=(n, inputs))
    match LOSSES[loss].kind:
        case "classes":
            return X, np.arange(n) % outputs
        case "binary":
            return X, random.integers(0, 2, (n, outputs))
        case _:
            return X, random.normal(size=(n, outputs))


@st.composite
def trained_together(draw: st.DrawFn) -> Together:
    """Draw networks of one kind and many sizes, with data, splits and an order of their own."""
    loss, count = draw(st.sampled_from(list(LOSSES))), draw(st.sampled_from(COUNTS))
    fewest = 2 if LOSSES[loss].kind == "classes" else 1
    outputs, inputs, n = draw(st.integers(fewest, 3)), draw(st.integers(1, 19)), draw(st.sampled_from(ROWS))
    X, y = data(loss, n, inputs, outputs)
    activations = draw(st.lists(st.sampled_from(list(ACTIVATIONS)), max_size=3))
    dropout = draw(st.booleans())
    stopping = EarlyStopping("train_loss", patience=1) if draw(st.booleans()) else None
    shared = {
        "epochs": draw(st.integers(1, 4)),
        "batch_size": draw(st.sampled_from(BATCHES)),
        "shuffle": draw(st.booleans()),
        "early_stopping": stopping,
    }
    kind = draw(st.sampled_from(list(OPTIMIZERS)))
    # Every class is in the first rows, so that each split knows as many as the network has outputs.
    splits = [None, np.arange(max(outputs, n * 4 // 5)), np.r_[: max(outputs, n // 2), n - 1]]
    repeats = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    return Together(
        draw(st.lists(networks(activations, dropout, outputs, loss), min_size=count, max_size=count)),
        draw(st.lists(optimizers(kind, **shared), min_size=count, max_size=count)),
        [100 + repeat for repeat in repeats],
        [splits[repeat] for repeat in repeats],
        X,
        y,
        draw(st.sampled_from([None, 1.0 + np.arange(n) % 3])),
        draw(st.sampled_from(["float32", "float64"])),
    )


def bytes_of(model: Model) -> tuple[Any, ...]:
    """Return all that a training gave."""
    history = {name: values.tobytes() for name, values in model.history_arrays.items()}
    return model.state, model.epoch, history, model.digest()


@pytest.mark.filterwarnings("ignore:.*diverged:RuntimeWarning")
@hypothesis.settings(max_examples=200, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(case=trained_together())
def test_each_network_is_what_it_is_alone(case: Together) -> None:
    places = list(range(len(case.networks)))
    alone = [bytes_of(case.train([place])[0]) for place in places]
    assert [bytes_of(model) for model in case.train(places)] == alone
    assert [bytes_of(model) for model in case.train(places[::-1])] == alone[::-1]


# The first sample's delta or its step overflows.
OVERFLOW = [
    GradientDescent(0.1),
    GradientDescent(BEYOND),
    GradientDescent(0.1, l1=BEYOND),
    GradientDescent(0.1, l2=BEYOND),
    Momentum(BEYOND),
    Momentum(BEYOND, nesterov=True),
    Adam(1e38),  # over 1 - beta1
    AdamW(0.1, weight_decay=1e40),
]


@pytest.mark.filterwarnings("ignore:.*diverged:RuntimeWarning")
@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("optimizer", OVERFLOW, ids=str)
@pytest.mark.parametrize("count", [2, 4, 8, 16])
def test_infinities_of_a_narrow_network_do_not_reach_its_padding(
    count: int, optimizer: Optimizer, outputs: int
) -> None:
    """Padded weights would be 0 x inf, and all sums NaN."""
    X, y = np.full((2, 1), 1.0 if isinstance(optimizer, Adam) else 2.5e38), np.zeros((2, outputs))
    layers = [Dense(1, bias=False, initializer=1.0), Dense(outputs, bias=False, initializer=1.0)]
    narrow, wide = Network(layers), Network([Dense(8, bias=False), layers[1]])
    optimizer = replace(optimizer, epochs=1, batch_size=1)
    alone = narrow.train(X, y, optimizer)
    assert (alone.state, alone.history_arrays["train_loss"].tolist()) == ("diverged", [np.inf])
    together = train_many([narrow, *[wide] * (count - 1)], optimizer, X, y, seeds=0)
    assert bytes_of(together[0]) == bytes_of(alone)


@pytest.mark.filterwarnings("ignore:.*diverged:RuntimeWarning")
@pytest.mark.parametrize("optimizer", OVERFLOW, ids=str)
@pytest.mark.parametrize("pairs", [1, 3, 7])
def test_infinities_do_not_reach_padding_where_columns_go_a_few_at_a_time(
    pairs: int, optimizer: Optimizer
) -> None:
    """What a lane has not begins in the middle of the later columns, of which a narrower one has none."""
    X, y = np.full((64, 1), 1.0 if isinstance(optimizer, Adam) else 2.5e38), np.zeros((64, 1))
    output = Dense(1, bias=False, initializer=1 / 45)
    narrow, medium, wide = (
        Network([Dense(units, bias=False, initializer=1.0), output]) for units in (26, 45, 70)
    )
    optimizer = replace(optimizer, epochs=1, batch_size=32)
    alone = medium.train(X, y, optimizer)
    assert (alone.state, alone.history_arrays["train_loss"].tolist()) == ("diverged", [np.inf])
    together = train_many([medium, *[narrow, wide] * pairs], optimizer, X, y, seeds=0)
    assert bytes_of(together[0]) == bytes_of(alone)
