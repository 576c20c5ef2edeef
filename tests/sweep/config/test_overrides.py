"""What the command line adds to an experiment."""

from __future__ import annotations

import re

import hypothesis
import pytest
from hypothesis import strategies as st

from sweep.config.overrides import Override, apply_overrides


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
