"""Mistakes in an experiment: each gets one line, that says where and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from experiment_files import GOOD

from sweep.config import Experiment, load_experiment
from sweep.errors import ConfigError, DataError

Load = Callable[..., Experiment]
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
    (
        ["space.hidden=[0, 4]"],
        "command line: space.hidden: 0: network.layers[0]: units must be >= 1, got 0",
    ),
    (["space.hidden=[0]"], "x.toml: network.layers[0]: units must be >= 1, got 0"),
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
        "command line: space.hidden: 0: network.layers[0]: units must be >= 1, got 0",
    ),
    (
        ["samples=2", "space.learning_rate={distribution='uniform', low=-1, high=1}"],
        "command line: space.learning_rate: -1.0: optimizer: learning_rate must be > 0, got -1.0",
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
    # Those of the form first, then those of values.
    text = GOOD.replace("epochs", "epoch")
    assert [line.split(": ")[1] for line in mistakes(text, "space.hidden=[0, 4]")] == [
        "optimizer.epoch",
        "space.hidden",
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
