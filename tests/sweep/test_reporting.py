"""The report at a run's end, and the exit code."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep import Results
from sweep.export import readable_summary, readable_trials
from sweep.reporting import closing_lines, exit_code, what_next


def test_the_report_says_how_sure_it_is(make_results: Callable[..., Results]) -> None:
    lines = closing_lines(make_results(24))
    text = "\n".join(lines)
    assert "the best 10 of 24 configurations: means, with 95 % intervals" in text
    assert " over 5 repeats, 95 % interval 0." in text
    assert " of the 23 others (paired t tests, 5 %, Holm)" in text
    text = "\n".join(closing_lines(make_results(4, repeats=1)))
    assert "4 configurations: of one repeat, so without intervals" in text
    assert "nothing says how sure that is" in text


def test_configurations_without_results_are_no_first_ones(make_results: Callable[..., Results]) -> None:
    grid = [
        {"hidden": hidden, "activation": "relu", "learning_rate": rate}
        for hidden in (8, 16)
        for rate in (0.01, 9.0)
    ]
    results = make_results(grid)  # a rate of 9 diverges
    ranks = [line.split()[0] for line in readable_summary(results).splitlines()]
    assert ranks == ["rank", "1", "2", "-", "-"]
    assert "clearly better than 1 of the 1 other with enough results" in "\n".join(closing_lines(results))
    table = readable_trials(results)
    assert "diverged" in table
    assert not re.search(r"\d\de[+-]|\d\.(\s|$)", table)


def test_exit_codes(make_results: Callable[..., Results]) -> None:
    results = make_results(4)
    assert exit_code(results) == 0
    trials, records = results._trials, dict(results._records)
    for state, code in (
        ("diverged", 0),
        ("failed", 1),
        ("quarantined", 1),
        ("timeout", 1),
        ("cancelled", 130),
    ):
        identity = trials[0].identity
        changed = records | {identity: records[identity]._replace(state=state)}
        assert exit_code(Results(trials, changed, {})) == code
        assert exit_code(Results(trials, changed, {}, interrupted=True)) == 130
        assert exit_code(Results(trials, changed, {}, store_lost=True)) == max(75, code)
    del records[trials[0].identity]
    assert exit_code(Results(trials, records, {})) == 130


def test_a_store_that_begins_with_a_dash_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["sweep"])
    assert what_next(Path("-x.sweep"), resume=False).splitlines() == [
        "what next:",
        "  sweep plot ./-x.sweep comparison",
        "  sweep plot ./-x.sweep learning_curves",
        "  sweep table ./-x.sweep --trials --out ./-x.csv",
    ]
