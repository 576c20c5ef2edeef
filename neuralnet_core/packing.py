"""Packs: which networks may train together as lanes of one computation, and what that takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

from .engine.dispatch import kernel
from .network import Network
from .optimizers import Optimizer
from .plans import optimizer_code

__all__ = ["plan_packs", "training_cost"]


def plan_packs(
    networks: Sequence[Network],
    optimizers: Sequence[Optimizer],
    input_shape: int | Sequence[int],
    dtype: str = "float32",
    *,
    orders: Sequence[Hashable] | None = None,
    keys: Sequence[Hashable] | None = None,
) -> list[tuple[int, ...]]:
    """Return the packs: tuples of indices into `networks`, each at most a register's lanes long.

    Networks of different widths share packs, the narrow ones padded; sorted by size, few units are padding.

    Parameters
    ----------
    networks, optimizers : sequences of equal length
    input_shape : int or tuple
        The shape of one sample.
    dtype : {"float32", "float64"}
    orders : sequence, optional
        What says in which order a network visits which rows: (seed, rows). Packs of one order share their
        data loads, so full packs are made of one order before the rest is mixed.
    keys : sequence, optional
        Whatever else must be equal within a pack.

    Examples
    --------
    >>> from neuralnet_core import Adam, Dense, Network
    >>> networks = [Network([Dense(4, name), Dense(1)]) for name in ("relu", "tanh", "relu")]
    >>> plan_packs(networks, [Adam()] * 3, 2)
    [(0, 2), (1,)]
    """
    lanes = kernel(dtype).lanes
    sizes = {id(network): network.build(input_shape).size for network in networks}
    groups: dict[Hashable, dict[Hashable, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, (network, optimizer) in enumerate(zip(networks, optimizers, strict=True)):
        like = (network.signature(input_shape), optimizer_signature(optimizer), keys[index] if keys else None)
        groups[like][orders[index] if orders else None].append(index)
    packs: list[tuple[int, ...]] = []
    for by_order in groups.values():
        rest: list[int] = []
        for indices in by_order.values():
            indices.sort(key=lambda index: sizes[id(networks[index])])
            for pack in _filled(indices, networks, input_shape, lanes):
                if len(pack) == lanes:
                    packs.append(pack)
                else:
                    rest += pack
        rest.sort(key=lambda index: sizes[id(networks[index])])
        packs += _filled(rest, networks, input_shape, lanes)
    return packs


def _filled(
    indices: Sequence[int], networks: Sequence[Network], input_shape: int | Sequence[int], lanes: int
) -> Iterator[tuple[int, ...]]:
    """Yield packs of networks that come by size, padded to common widths where that costs less than packs apart."""
    pack: list[int] = []
    room = networks[indices[0]] if indices else None
    for index in indices:
        network = networks[index]
        if pack and room is not None:
            wider = room if network is room else room.room_for(network)
            if len(pack) == lanes or not _pays(wider, room, network, input_shape):
                yield tuple(pack)
                pack, wider = [], network
            room = wider
        pack.append(index)
    if pack:
        yield tuple(pack)


def _pays(wider: Network, room: Network, network: Network, input_shape: int | Sequence[int]) -> bool:
    """Whether one pack with room for a network more costs no more than a pack for it alone beside the first."""
    if wider is room:
        return True
    return wider.build(input_shape).size <= room.build(input_shape).size + network.build(input_shape).size


def optimizer_signature(optimizer: Optimizer) -> tuple[Hashable, ...]:
    """Return what optimizers must have in common to be lanes of one pack; every rate may differ."""
    return (optimizer_code(optimizer), optimizer.epochs, optimizer.batch_size, optimizer.shuffle)


def training_cost(
    network: Network,
    optimizer: Optimizer,
    input_shape: int | Sequence[int],
    n_train: int,
    n_validation: int = 0,
) -> float:
    """Return the multiply-adds, counted as two operations each, that training one network takes.

    Examples
    --------
    >>> from neuralnet_core import Adam, Dense, Network
    >>> training_cost(Network([Dense(1)]), Adam(epochs=2), 3, n_train=10)
    240.0
    """
    forward = gradient = 0
    for index, built in enumerate(network.build(input_shape).layers):
        products = sum(parameter.size for parameter in built.parameters if parameter.penalized)
        forward += products
        gradient += products * (2 if index else 1)
    return float(2 * optimizer.epochs * (n_train * (forward + gradient) + n_validation * forward))
