"""What must hold of every drawing."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np


def check(axes: Any) -> None:
    """Draw the figure and check that its texts are inside it and its tick labels apart."""
    figure = np.ravel(axes)[0].figure
    figure.draw_without_rendering()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            labels = shown_labels(axis)
            boxes = [text.get_window_extent() for text in labels if text.get_rotation() == 0]
            for one, other in itertools.pairwise(boxes):
                assert not one.overlaps(other), f"{axis.get_label_text()}: tick labels overlap"
            for text in (*labels, axis.label, ax.title, ax._left_title):
                inside(figure, text)
    for legend in figure.legends:
        inside(figure, legend)
    names = [axis.label for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) if axis.get_label_text()]
    for one, other in itertools.combinations([text.get_window_extent() for text in names], 2):
        assert not one.overlaps(other), "two axes' names overlap"


def shown_labels(axis: Any) -> list[Any]:
    """Return the labels of the ticks that lie in view: matplotlib has some beyond, and does not draw them."""
    low, high = sorted(axis.get_view_interval())
    space = 1e-9 * (high - low)
    ticks = [tick for tick in axis.get_major_ticks() if low - space <= tick.get_loc() <= high + space]
    labels = [label for tick in ticks for label in (tick.label1, tick.label2)]
    return [label for label in labels if label.get_visible() and label.get_text()]


def inside(figure: Any, artist: Any) -> None:
    box = artist.get_window_extent()
    if box.width > 0:
        assert box.x0 >= -1, f"{artist} is cut off on the left"
        assert box.y0 >= -1, f"{artist} is cut off below"
        assert box.x1 <= figure.bbox.x1 + 1, f"{artist} is cut off on the right"
        assert box.y1 <= figure.bbox.y1 + 1, f"{artist} is cut off above"
