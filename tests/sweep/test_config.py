"""Experiment files: what they mean, and the line that each mistake gets."""

from __future__ import annotations

import pickle
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import neuralnet_core
from neuralnet_core import Adam, CosineDecay, Dense, Dropout, EarlyStopping, Network, WarmUp
from neuralnet_core.layers import Layer
from neuralnet_core.optimizers import Optimizer
from sweep.config import Experiment, load_experiment
from sweep.config.frame import DataTable, Frame, ValidationTable
from sweep.config.overrides import Override, apply_overrides
from sweep.config.recipe import KINDS, classes
from sweep.datasets import DATASETS
from sweep.distributions import DISTRIBUTIONS
from sweep.errors import ConfigError, DataError

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "configuration.md"

GOOD = """
repeats = 3
validation = 0.2
data = {name = "moons", n_samples = 200, noise = 0.2}

[network]
layers = [
    {type = "Dense", units = "$hidden", activation = "$activation"},
    {type = "Dropout", rate = 0.1},
    {type = "Dense", units = 1},
]
loss = "binary_cross_entropy"

[optimizer]
type = "Adam"
learning_rate = "$learning_rate"
epochs = 4

[space]
hidden = [4, 8]
activation = ["relu", "tanh"]
learning_rate = [0.001, 0.01]
"""

Load = Callable[..., Experiment]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that loads an experiment from a text, with overrides."""

    def load(text: str, *overrides: str) -> Experiment:
        path = tmp_path / "x.toml"
        path.write_text(text)
        return load_experiment(path, overrides)

    return load


@pytest.fixture
def mistakes(load: Load, tmp_path: Path) -> Callable[..., list[str]]:
    """Return a function that returns the lines that a text and its overrides get, without the folder's name."""

    def mistakes(text: str, *overrides: str) -> list[str]:
        with pytest.raises(ConfigError) as error:
            load(text, *overrides)
        return [line.replace(f"{tmp_path}/", "") for line in error.value.lines]

    return mistakes


# --- What a file means ----------------------------------------------------------------------------------------


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


# --- Data -----------------------------------------------------------------------------------------------------

FILES = 'data={file="train.csv", target="y", scaling="standard"}'


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Write a training and a validation file beside the experiment; return their folder."""
    for name, seed in (("train.csv", 0), ("validation.csv", 1)):
        random = np.random.default_rng(seed)
        X = random.normal(3, 2, (40, 2))
        rows = [f"{a!r},{int(a + b > 6)},{b!r}" for a, b in X.tolist()]
        (tmp_path / name).write_text("\n".join(["a,y,b", *rows]))
    return tmp_path


def test_with_a_validation_file_scaling_sees_the_training_rows_only(files: Path, load: Load) -> None:
    experiment = load(GOOD, FILES, 'validation={file="validation.csv"}')
    np.testing.assert_allclose(experiment.data.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(experiment.data.X.std(axis=0), 1, atol=1e-12)
    assert isinstance(experiment.validation, tuple)
    held_out = experiment.validation[0]
    assert (np.abs(held_out.mean(axis=0)) > 1e-3).all()
    assert "by the training rows" in experiment.describe()
    assert "validated on 40 rows of their own" in experiment.describe()


def test_with_a_fraction_scaling_sees_all_rows_and_says_so(files: Path, load: Load) -> None:
    assert "by all rows, those held out included" in load(GOOD, FILES).describe()


def test_a_divisor_looks_at_no_row(load: Load) -> None:
    plain, scaled = load(GOOD), load(GOOD, "data.scaling=4")
    np.testing.assert_array_equal(scaled.data.X, plain.data.X / 4)
    assert "divided by 4" in scaled.describe()


def test_targets_are_divided(load: Load) -> None:
    text = GOOD.replace("binary_cross_entropy", "mse")
    data = 'data={name="diabetes", target_divisor=100}'
    divided, plain = load(text, data), load(text, data, "data.target_divisor=1")
    np.testing.assert_array_equal(divided.data.y, plain.data.y / 100)
    assert "targets 0.25 to 3.46; not scaled, targets divided by 100; " in divided.describe()
    assert "divided" not in plain.describe()


def test_names_of_classes_reach_the_model(files: Path, load: Load) -> None:
    text = (files / "train.csv").read_text().replace(",1,", ",reed,").replace(",0,", ",moss,")
    (files / "train.csv").write_text(text)
    experiment = load(GOOD, FILES)
    results = experiment.sweep.run(experiment.data.X, experiment.data.y, validation=0.2, progress=False)
    assert set(results.model(0).predict(experiment.data.X)) <= {"reed", "moss"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (['data={file="nowhere.csv", target="y"}'], r"nowhere\.csv: there is no such file"),
        ([FILES, "data.target=z"], r"train\.csv: unknown column 'z'"),
        (['validation={file="validation.csv"}'], r"validation\.file needs data\.file"),
        (
            [FILES, 'validation={file="v.npz"}'],
            r"validation\.file must have named columns, as data\.file has them: .*got v\.npz",
        ),
        (
            [FILES, "data.file=text.csv", "data.target=a", "data.target_divisor=2"],
            "target_divisor is for numbers",
        ),
    ],
)
def test_bad_data(files: Path, load: Load, overrides: list[str], message: str) -> None:
    (files / "text.csv").write_text("a,b\nx,1\ny,2\n")
    with pytest.raises(DataError, match=message):
        load(GOOD, *overrides)


def test_data_that_are_not_finite(files: Path, load: Load) -> None:
    (files / "train.csv").write_text("a,y,b\n1,0,2\n1,1,inf\n2,0,2\n2,1,1\n")
    with pytest.raises(DataError, match=r"train\.csv: column \'b\' must be finite, got inf in row 1"):
        load(GOOD, FILES)


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("7", "command line: validation: labels of binary_cross_entropy must be 0 or 1 .*, got 7"),
        ("reed", "command line: validation: labels must be numbers like those trained on, got 'reed'"),
    ],
)
def test_targets_held_out_that_do_not_fit_are_told_before_anything_is_trained(
    files: Path, load: Load, target: str, line: str
) -> None:
    (files / "validation.csv").write_text(f"a,y,b\n1,{target},2\n")
    with pytest.raises(ConfigError, match=line):
        load(GOOD, FILES, 'validation={file="validation.csv"}')


# --- Mistakes: each gets one line, that says where and what is allowed ------------------------------------------

WITHOUT_SPACE = GOOD[: GOOD.index("[space]")]

ONE_MISTAKE = [
    (["repeats=0"], "command line: repeats: must be >= 1, got 0"),
    (["repeats=1.5"], "command line: repeats: must be an integer, got 1.5"),
    (["repeats=true"], "command line: repeats: must be an integer, got True"),
    (
        ["repeat=3"],
        "command line: repeat: unknown key 'repeat'; did you mean repeats? (allowed: data, ",
    ),
    (["dtype=float16"], "command line: dtype: must be 'float32' or 'float64', got 'float16'"),
    (["seed=-1"], "command line: seed: must be >= 0, got -1"),
    ([f"seed={2**64}"], f"command line: seed: must be < {2**64}, got {2**64}"),
    (["optimizer=3"], "command line: optimizer: must be a table, got 3"),
    (["data=[]"], "command line: data: must be a table, got []"),
    (["data.features=a"], "command line: data.features: must be a list, got 'a'"),
    (["network.loss=3"], "command line: network.loss: must be a string, got 3"),
    (["validation=ten"], "command line: validation: must be a fraction such as 0.2, or a table with "),
    (["optimizer.type=[]"], "command line: optimizer.type: unknown type '[]' (allowed: Adam, "),
    (["space={}"], "command line: space: must be a table of lists with at least one parameter, got {}"),
    (["space.hidden={}"], "command line: space.hidden: needs a distribution (one of choice, "),
    (["space.hidden={distribution=[]}"], "command line: space.hidden: unknown distribution '[]'"),
    (
        ["network.layers[2].units=3", "network.loss=softmax_cross_entropy"],
        "x.toml: network: y has 2 classes (labels 0..1) but the network ends in Dense(3); end it in Dense(2)",
    ),
    (
        ["network.layers[2].units=2", "network.loss=mse"],
        "x.toml: network: y has 1 column but the network ends in Dense(2); they must agree",
    ),
    (["samples=0"], "command line: samples: must be >= 1, got 0"),
    (
        ["objective=accuracy"],
        "command line: objective: unknown metric 'accuracy' (allowed: validation_accuracy, ",
    ),
    (["validation=1.5"], "command line: validation.fraction: must be < 1, got 1.5"),
    (["validation={}"], "command line: validation: needs fraction (such as 0.2) or file"),
    (
        ["validation={fracton=0.1}"],
        "command line: validation.fracton: unknown key 'fracton'; did you mean fraction?",
    ),
    (["data.name=moon"], "command line: data.name: unknown name 'moon'; did you mean moons?"),
    (["data={}"], "command line: data: needs name (one of digits, "),
    (["data.file=x.csv"], "x.toml: data: needs name (one of digits, "),
    (["data.target=y"], "command line: data.target: is for files, not for name = 'moons'"),
    (["data.nois=1"], "command line: data.nois: unknown key 'nois'; did you mean noise? (allowed: name, "),
    (
        ["data.scaling=stadard"],
        "command line: data.scaling: scaling must be none, standard, minmax or a number",
    ),
    (
        ["data.scaling=0"],
        "command line: data.scaling: scaling must be > 0, got 0",
    ),
    (["data.scaling=1" + "0" * 400], "command line: data.scaling: scaling must be > 0, got 1000"),
    (["network.loss=mde"], "x.toml: network: loss must be one of mse, "),
    (["network.los=mse"], "command line: network.los: unknown key 'los'; did you mean loss?"),
    (
        ["network.layers[2].type=dense"],
        "command line: network.layers[2].type: unknown type 'dense'; did you mean Dense?",
    ),
    (
        ["network.layers[2]=3"],
        "command line: network.layers[2]: must be a table such as {type = ...}, got 3",
    ),
    (
        ["network.layers[2]={type='Dense'}"],
        "command line: network.layers[2].units: is required by Dense",
    ),
    (
        ["network.layers=[[1]]"],
        "command line: network.layers[0][0]: must be a table such as {type = ...}, got 1",
    ),
    (
        ["network.layers[2].unit=1"],
        "command line: network.layers[2].unit: unknown key 'unit'; did you mean units?",
    ),
    (["network.layers[2].units=0"], "x.toml: network.layers[2]: units must be >= 1, got 0"),
    (["network.layers[1].rate=1"], "x.toml: network.layers[1]: rate must be >= 0 and < 1, got 1"),
    (
        ["network.layers[0].units=$hiden"],
        "command line: network.layers[0].units: unknown parameter '$hiden'; did you mean $hidden?",
    ),
    (
        ["network.layers[2].units=2", "network.loss=softmax_cross_entropy", "data={name='iris'}"],
        "x.toml: network: labels must be 0..1 for Dense(2), got 2",
    ),
    (
        ["optimizer.type=Adm"],
        "command line: optimizer.type: unknown type 'Adm'; did you mean Adam?",
    ),
    (
        ["optimizer={learning_rate='$learning_rate'}"],
        "command line: optimizer.type: is required (allowed: Adam, ",
    ),
    (
        ["optimizer.epoch=3"],
        "command line: optimizer.epoch: unknown key 'epoch'; did you mean epochs?",
    ),
    (["optimizer.epochs=0"], "x.toml: optimizer: epochs must be >= 1, got 0"),
    (
        ["optimizer.early_stopping={patiense=1}"],
        "command line: optimizer.early_stopping.patiense: unknown key 'patiense'; did you mean patience?",
    ),
    (
        ["optimizer.early_stopping={type='Early'}"],
        "command line: optimizer.early_stopping.type: unknown type 'Early'",
    ),
    (
        ["optimizer.early_stopping=3"],
        "x.toml: optimizer: early_stopping must be an EarlyStopping or None, got 3",
    ),
    (
        ["space=3"],
        "command line: space: must be a table of lists with at least one parameter, got 3",
    ),
    (
        ["space.hidden=8"],
        "command line: space.hidden: must be a list of values or a distribution, got 8",
    ),
    (["space.hidden=[]"], "command line: space.hidden: has no values; give at least one"),
    (["space.hidden=[4, 4]"], "command line: space.hidden: has the value 4 twice"),
    (
        ["space.hidden=[4, 0]"],
        "command line: space.hidden: 0: network.layers[0]: units must be >= 1, got 0",
    ),
    (["space.hidden=[0, 4]"], "x.toml: network.layers[0]: units must be >= 1, got 0"),
    (
        ["space.depth=[1]"],
        'command line: space.depth: is used nowhere; write "$depth" where its values belong',
    ),
    (
        ["space.hidden={distribution='unifrm', low=1, high=2}"],
        "command line: space.hidden: unknown distribution 'unifrm'; did you mean uniform?",
    ),
    (
        ["space.hidden={distribution='randint', low=1}"],
        "command line: space.hidden: randint takes low and high, got low",
    ),
    (
        ["space.hidden={distribution='randint', low=9, high=4}"],
        "command line: space.hidden: randint needs low < high",
    ),
    (
        ["space.hidden={distribution='randint', low=1, high=4}"],
        "x.toml: samples: is required by a space with distributions",
    ),
    (
        ["samples=2", "space.hidden={distribution='randint', low=0, high=4}"],
        "x.toml: network.layers[0]: units must be >= 1, got 0",
    ),
    (
        ["samples=2", "space.learning_rate={distribution='uniform', low=-1, high=1}"],
        "x.toml: optimizer: learning_rate must be > 0, got -1.0",
    ),
    (["foo"], "'foo' must be name=value, for example "),
    (["a b=1"], "'a b=1' must be name=value, for example "),
    (["space.activation=[relu]"], "space.activation: '[relu]' is not a TOML value; inside lists "),
    (["seed=" + "[" * 90_000], f"seed: '{'[' * 58}...{'[' * 57}' is not a TOML value; "),
    (["repeats.x=1"], "repeats.x: repeats is not a table, it has no 'x'"),
    (
        ["network.layers[9].units=1"],
        "network.layers[9].units: network.layers has 3 items, numbered from 0",
    ),
    (["network[0]=1"], "network[0]: network is not a list, it has no [0]"),
]


@pytest.mark.parametrize(
    ("overrides", "line"),
    ONE_MISTAKE,
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_one_mistake_gets_one_line(
    mistakes: Callable[..., list[str]], overrides: list[str], line: str
) -> None:
    (told,) = [line for line in mistakes(GOOD, *overrides) if "used nowhere" not in line or "depth" in line]
    assert told.startswith(line)
    assert "\n" not in told


PLACES = [
    *("repeats", "validation", "validation.fraction", "data", "data.name", "data.file", "data.features"),
    *("data.target_divisor", "data.scaling", "data.n_samples", "network", "network.layers"),
    *("network.layers[0]", "network.layers[0].type", "network.layers[0].units", "network.loss", "optimizer"),
    *("optimizer.type", "optimizer.learning_rate", "optimizer.epochs", "optimizer.early_stopping", "space"),
    *("seed", "dtype", "samples", "objective", "foo"),
]


@pytest.mark.parametrize("value", ["1" + "0" * 4000, f'"{"x" * 9000}"', f'{{a=["{"x" * 9000}"]}}'])
@pytest.mark.parametrize("place", PLACES)
def test_a_long_value_in_a_wrong_place_gets_a_short_line(load: Load, place: str, value: str) -> None:
    text = GOOD.replace("validation = 0.2", "validation = {fraction = 0.2}")
    with pytest.raises((ConfigError, DataError)) as error:
        load(text, f"{place}={value}")
    assert max(map(len, error.value.lines)) < 500


def test_every_mistake_is_told_at_once(mistakes: Callable[..., list[str]]) -> None:
    text = GOOD.replace("repeats = 3", "repeats = 0\nrepeat = 3").replace("moons", "moon")
    assert [line.split(":")[1].strip() for line in mistakes(text)] == ["data.name", "repeats", "repeat"]
    text = GOOD.replace("units = 1", "unit = 1").replace("epochs", "epoch").replace("hidden = [", "hiden = [")
    assert [line.split(": ")[1] for line in mistakes(text)] == ["network.layers[0].units", "space.hiden"]
    text = GOOD.replace("units = 1", "unit = 1").replace("epochs", "epoch")
    assert [line.split(": ")[1] for line in mistakes(text)] == [
        "network.layers[2].unit",
        "network.layers[2].units",
        "optimizer.epoch",
    ]


def test_a_part_of_a_union_that_lacks_a_parameter(mistakes: Callable[..., list[str]]) -> None:
    space = GOOD[GOOD.index("[space]") :].replace("[space]", "[[space]]")
    (line,) = mistakes(WITHOUT_SPACE + space + space.replace("hidden = [4, 8]\n", ""))
    assert line.startswith("x.toml: network.layers[0].units: unknown parameter '$hidden'")
    assert line.endswith("in space[1]")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = [1\n", "is not valid TOML: "),
        (b"a = \xff\n", "is not a text file in UTF-8"),
        (b"seed = " + b"9" * 5000 + b"\n", "is not valid TOML: "),
        (b"a = " + b"[" * 100_000 + b"\n", "is not valid TOML: "),
        (b"a = " + b"[" * 41 + b"]" * 41, "is nested more than 40 deep"),
        (b"a = " + b"[{b=" * 21 + b"1" + b"}]" * 21, "is nested more than 40 deep"),
        (b"a." * 300_000 + b"a = 1", "is nested more than 40 deep"),
        (b"[" + b'"a" . ' * 50 + b"a]", "is nested more than 40 deep"),
        (b"# " + b"x" * (1 << 20), "must have at most 1,048,576 bytes; keep data in files of their own"),
        (b"a = [" + b"0.125, " * 100_000 + b"]\n", "data: is required"),
        (b"# a sentence. " * 1000 + b"\n", "data: is required"),
        (b"\xef\xbb\xbf", "data: is required"),
        (b"", "data: is required"),
    ],
)
def test_what_is_no_experiment(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(ConfigError) as error:
        load_experiment(tmp_path / "x.toml")
    assert error.value.lines[0].startswith(f"{tmp_path}/x.toml: {message}")


def test_what_the_command_line_adds_may_not_lie_deep_either(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(GOOD)
    for override in (f"space.{'a.' * 2000}a=1", f"space.a={'[' * 41}{']' * 41}"):
        with pytest.raises(ConfigError, match=r"^command line: is nested more than 40 deep$"):
            load_experiment(tmp_path / "x.toml", [override])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_experiment(tmp_path / "x.toml")


# --- Overrides ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a=1", ("a",), 1),
        ("a = 1e-3", ("a",), 1e-3),
        ("a.b=relu", ("a", "b"), "relu"),
        ('a.b="relu"', ("a", "b"), "relu"),
        ("a=$hidden", ("a",), "$hidden"),
        ("a=true", ("a",), True),
        ("a=[1, 2]", ("a",), [1, 2]),
        ("a={b=1}", ("a",), {"b": 1}),
        ("a[0].b-c[12]=data/x.csv", ("a", 0, "b-c", 12), "data/x.csv"),
        ("a.0=1", ("a", "0"), 1),
    ],
)
def test_overrides_are_parsed(text: str, path: tuple[str | int, ...], value: object) -> None:
    assert Override.parse(text) == Override(path, value)


@pytest.mark.parametrize("text", ["", "=", "=1", "a=", "a..b=1", "a[=1", "a[x]=1", "a=1\nb=2", "a={", "a='"])
def test_what_is_no_override(text: str) -> None:
    with pytest.raises(ValueError, match=r"name=value|not a TOML value"):
        Override.parse(text)


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False)
    | st.text("abc$-._", min_size=1),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@hypothesis.given(value=VALUES)
def test_any_value_can_be_given_as_toml(value: object) -> None:
    text = re.sub(r"'([^']*)'", r'"\1"', repr(value)).replace("True", "true").replace("False", "false")
    assert Override.parse(f"a.b={text}").value == value


def test_overrides_leave_the_original_alone() -> None:
    table = {"a": {"b": [1, {"c": 2}]}}
    changed = apply_overrides(table, [Override.parse("a.b[1].c=3"), Override.parse("d.e=4")])
    assert changed == {"a": {"b": [1, {"c": 3}]}, "d": {"e": 4}}
    assert table == {"a": {"b": [1, {"c": 2}]}}


# --- The page that documents it ---------------------------------------------------------------------------------

TOML_BLOCKS = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", TOML_BLOCKS, ids=range(len(TOML_BLOCKS)))
def test_every_example_of_the_page_loads(load: Load, block: str) -> None:
    assert load(block).sweep.space.size > 1


def test_the_page_has_examples() -> None:
    assert len(TOML_BLOCKS) >= 3
    assert all(tomllib.loads(block) for block in TOML_BLOCKS)


def documented_names() -> list[str]:
    """Return every key of the frame, every class that a table may name, every field of these."""
    names = [*Frame.model_fields, *DataTable.model_fields, *ValidationTable.model_fields]
    names += [argument for data in DATASETS.values() for argument in data.arguments]
    kinds = (Layer, Optimizer, *KINDS.values())
    for made in {made for kind in kinds for made in classes(kind).values()}:
        names += [made.__name__, *(name for name in made.__dataclass_fields__ if not name.startswith("_"))]
    return sorted({*names, *DATASETS, *DISTRIBUTIONS, *neuralnet_core.LOSSES, *neuralnet_core.ACTIVATIONS})


@pytest.mark.parametrize("name", documented_names())
def test_the_page_has_every_key(name: str) -> None:
    assert re.search(rf"\b{name}\b", PAGE.read_text(encoding="utf-8"))
