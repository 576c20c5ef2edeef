"""The data of an experiment: named or of files, scaled, divided, held out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from experiment_files import GOOD

from sweep.config import Experiment
from sweep.errors import ConfigError, DataError

Load = Callable[..., Experiment]

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
