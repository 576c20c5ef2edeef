"""The frame of an experiment file: which keys there are, of which types; every mistake in one go.

docs/configuration.md describes the keys. The only importer of pydantic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from neuralnet_core import shown
from sweep.datasets import DATASETS
from sweep.errors import unknown
from sweep.objective import OBJECTIVES
from sweep.scaling import fit_scaling

from .overrides import dotted
from .recipe import Problem

__all__ = ["DataTable", "Frame", "Source", "check_frame", "check_source", "source_of"]


T = TypeVar("T", bound=BaseModel)


class Table(BaseModel):
    """A table with these keys and no others, of these types exactly."""

    model_config = ConfigDict(extra="forbid", strict=True)


class DataTable(BaseModel):
    """What to train on: a set by `name` with its arguments, or a `file` with its columns."""

    model_config = ConfigDict(extra="allow", strict=True)

    name: str | None = None
    file: str | None = None
    target: str | None = None
    features: list[str] | None = None
    scaling: Any = "none"
    target_divisor: float = Field(1.0, gt=0, allow_inf_nan=False)

    @field_validator("scaling")
    @classmethod
    def _check_scaling(cls, value: Any) -> Any:
        fit_scaling(value, [[0.0]])
        return value

    @model_validator(mode="after")
    def _check_source(self) -> DataTable:
        if problems := list(self._problems()):
            raise PydanticCustomError("data", "wrong data", {"problems": problems})
        return self

    def _problems(self) -> Iterator[tuple[str, str]]:
        """Yield (key, message) of each mistake; the key is empty where it is the whole table's."""
        if (self.name is None) == (self.file is None):
            yield "", f"needs name (one of {', '.join(DATASETS)}) or file, one of the two"
        elif self.file is not None and self.target is None:
            yield "target", "is required with file: the name of the column to predict"
        if self.name is not None and self.name not in DATASETS:
            yield "name", unknown("name", self.name, DATASETS)
            return  # whose arguments the other keys are, nobody knows
        if self.name is not None and self.file is None:
            for key in ("target", "features"):
                if getattr(self, key) is not None:
                    yield key, f"is for files, not for name = {self.name!r}"
        arguments = DATASETS[self.name].arguments if self.name is not None else ()
        for key in self.arguments:
            if key not in arguments:
                yield key, unknown("key", key, [*type(self).model_fields, *arguments])

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of a named set."""
        return self.model_extra or {}


class ValidationTable(Table):
    """What to validate on: a `fraction` of the rows, or a `file` with the same columns."""

    fraction: float | None = Field(None, gt=0, lt=1)
    file: str | None = None

    @model_validator(mode="after")
    def _check_one(self) -> ValidationTable:
        if (self.fraction is None) == (self.file is None):
            raise PydanticCustomError("validation", "needs fraction (such as 0.2) or file, one of the two")
        return self


class NetworkTable(Table):
    """The layers, as tables or one `$parameter`, and the loss."""

    layers: Any
    loss: str


def _fraction_table(value: Any) -> Any:
    """Return ``validation = 0.2`` as the table it is short for."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"fraction": value}
    if value is None or isinstance(value, Mapping | ValidationTable):
        return value
    raise ValueError(f"must be a fraction such as 0.2, or a table with fraction or file; got {shown(value)}")


class Frame(Table):
    """A whole experiment file."""

    data: DataTable
    validation: Annotated[ValidationTable | None, BeforeValidator(_fraction_table)] = None
    network: NetworkTable
    optimizer: dict[str, Any]
    space: Any
    repeats: int = Field(1, ge=1)
    seed: int = Field(0, ge=0, lt=2**64)
    dtype: Literal["float32", "float64"] = "float32"
    samples: int | None = Field(None, ge=1)
    objective: str | None = None

    @field_validator("objective")
    @classmethod
    def _check_objective(cls, name: str | None) -> str | None:
        if name is not None and name not in OBJECTIVES:
            raise ValueError(unknown("metric", name, OBJECTIVES))
        return name


class Source(Table):
    """Where the data of an experiment come from: its tables, and the folder that paths in them begin at."""

    folder: str
    data: DataTable
    validation: ValidationTable | None = None


def source_of(frame: Frame, folder: Path) -> Source:
    """Return where the data of an experiment come from."""
    return Source(folder=str(folder), data=frame.data, validation=frame.validation)


# --- Messages ---------------------------------------------------------------------------------------------------


# What pydantic says of a value's type, which it puts in Python's words or in its own.
TYPES = {
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "a list",
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a number",
}
SIGNS = {
    "greater than or equal to": ">=",
    "less than or equal to": "<=",
    "greater than": ">",
    "less than": "<",
}


def check_frame(table: Mapping[str, Any]) -> tuple[Frame | None, list[Problem]]:
    """Return the frame of a table, or what is wrong with it."""
    return _checked(Frame, table)


def check_source(table: Mapping[str, Any]) -> tuple[Source | None, list[Problem]]:
    """Return the source of a table, or what is wrong with it."""
    return _checked(Source, table)


def _checked(kind: type[T], table: Mapping[str, Any]) -> tuple[T | None, list[Problem]]:
    try:
        return kind.model_validate(table), []
    except ValidationError as error:
        return None, [problem for details in error.errors() for problem in _explain(details)]


def _explain(details: ErrorDetails) -> Iterator[Problem]:
    """Yield pydantic's error in this project's words."""
    path = dotted(tuple(part for part in details["loc"]))
    value, kind = details["input"], details["type"]
    if kind == "missing":
        yield Problem(path, "is required")
    elif kind == "extra_forbidden":
        owner = _owner(details["loc"])
        yield Problem(path, unknown("key", str(details["loc"][-1]), owner.model_fields))
    elif kind == "data":
        for key, message in details["ctx"]["problems"]:
            yield Problem(f"{path}.{key}".rstrip("."), message)
    elif kind == "validation":
        yield Problem(path, details["msg"])
    else:
        message = TYPES.get(kind) or details["msg"].removeprefix("Value error, ").removeprefix(
            "Input should be "
        )
        for words, sign in SIGNS.items():
            message = message.replace(words, sign)
        told = message if kind == "value_error" else f"must be {message}, got {shown(value)}"
        yield Problem(path, told)


def _owner(loc: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the model of the table that holds the last part of an error's place."""
    tables: dict[str | int, type[BaseModel]] = {
        "data": DataTable,
        "validation": ValidationTable,
        "network": NetworkTable,
    }
    return tables.get(loc[0], Frame) if len(loc) > 1 else Frame
