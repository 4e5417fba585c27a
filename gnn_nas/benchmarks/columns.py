"""The columns of a table that a user brings: a CSV file, or an ``.npz`` file without pickles."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gnn_nas.errors import UserError, reported
from gnn_nas.files import open_regular, read_regular

_MOST_BYTES = 2**30
# As spreadsheets of different countries write them.
_DELIMITERS = ",;\t"
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Columns:
    """Columns by their names, each a value for every row.

    Args:
        path: the file; values: texts, or numbers; places: where every row stands, for messages.
    """

    path: Path
    values: Mapping[str, Sequence[str] | np.ndarray]
    places: Sequence[str]

    def __len__(self) -> int:
        return len(self.places)

    def texts(self, name: str) -> list[str]:
        """A column of texts. Raises UserError where it is numbers."""
        values = self.values[name]
        if isinstance(values, np.ndarray) and values.dtype.kind != "U":
            raise UserError(f"{self.path}: {name} must be text, not {values.dtype}")
        return [str(value).strip() for value in values]

    def numbers(self, name: str) -> np.ndarray:
        """A column of finite numbers, float64, NaN where nothing is written. Raises UserError."""
        values = self.values[name]
        if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
            numbers = values.astype(np.float64)
        else:
            texts = self.texts(name)
            numbers = np.array([_number(text) for text in texts])
        if wrong := np.flatnonzero(np.isinf(numbers)).tolist():
            raise self.wrong(wrong[0], name, f"{str(values[wrong[0]])!r:.80} is no finite number")
        return numbers

    def has_numbers(self, name: str) -> bool:
        """Whether all that is written in a column are finite numbers, and something is."""
        try:
            return not bool(np.isnan(self.numbers(name)).all())
        except UserError:
            return False

    def wrong(self, row: int, name: str, what: object) -> UserError:
        """What to raise for a value."""
        return UserError(f"{self.path}: {self.places[row]}, column {name}: {what}")


def read_columns(path: Path) -> Columns:
    """Read a ``.csv`` file whose first line names the columns, or an ``.npz`` file of arrays.

    Raises:
        UserError: it cannot be read, or is damaged, empty or something else.
    """
    columns = (_read_npz if path.suffix == ".npz" else _read_csv)(path)
    if not len(columns):
        raise UserError(f"{path} has no cells: after the names of columns every line is one")
    return columns


def _read_csv(path: Path) -> Columns:
    with reported(f"{path}: cannot read"):
        content = read_regular(path, _MOST_BYTES)
    try:
        # Spreadsheets write a mark at the beginning.
        text = content.decode("utf-8-sig")
        head = text.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=head.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines = [(reader.line_num, line) for line in reader if any(map(str.strip, line))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no CSV file in UTF-8: {error}") from error
    if not lines:
        raise UserError(f"{path} is empty: its first line must name the columns")
    (_, header), *rows = lines
    names = [name.strip() for name in header]
    for place, name in enumerate(names):
        if not name:
            raise UserError(f"{path}: line 1: column {place + 1} has no name")
        if name in names[:place]:
            raise UserError(f"{path}: line 1: two columns are called {name}")
    for number, line in rows:
        if len(line) != len(names):
            raise UserError(f"{path}: line {number} has {len(line)} fields, not {len(names)}")
    values = zip(*(line for _, line in rows), strict=True) if rows else ([] for _ in names)
    places = [f"line {number}" for number, _ in rows]
    return Columns(path, dict(zip(names, values, strict=True)), places)


def _read_npz(path: Path) -> Columns:
    with reported(f"{path}: cannot read"):
        stream = open_regular(path)
    try:
        with stream, np.load(stream, allow_pickle=False) as file:
            # Packed, a few bytes can be any number.
            if sum(part.file_size for part in file.zip.infolist()) > _MOST_BYTES:
                raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except Exception as error:  # damaged bytes can raise anything in zipfile and numpy
        raise UserError(
            f"{path} is damaged or no .npz file of plain arrays ({type(error).__name__}: {error})"
        ) from error
    if not arrays:
        raise UserError(f"{path} is empty: it must have an array for every column")
    count = len(next(iter(arrays.values()))) if next(iter(arrays.values())).ndim else 0
    for name, array in arrays.items():
        if array.ndim != 1 or len(array) != count or array.dtype.kind not in "biufU":
            raise UserError(
                f"{path}: {name} must be {count} texts or numbers, as the first array has, not"
                f" {array.dtype} {array.shape}"
            )
    return Columns(path, arrays, [f"entry {row}" for row in range(count)])


def _number(text: str) -> float:
    """A number as people write it, NaN of nothing; infinity of what is none."""
    if not text or text.lower() == "nan":
        return math.nan
    return float(text) if _NUMBER.fullmatch(text) else math.inf
