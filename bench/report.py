"""Figures as a table to read and as a file for programs."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.measuring import Figure
from gnn_nas.errors import UserError
from gnn_nas.files import write_json

_HEAD = ("", "median", "", "threads", "range of repeats", "target", "", "")
_WIDTHS = (-48, 11, -10, 7, -30, -11, -6)


def table(figures: Iterable[Figure]) -> str:
    """Figures as text, one a line, below a line of heads."""
    return "\n".join([_line(_HEAD), *(_line(_columns(figure)) for figure in figures)])


def verdict(figures: Iterable[Figure]) -> str:
    """How many targets are met, and the names of the figures that miss theirs."""
    judged = [figure for figure in figures if figure.met is not None]
    missed = [figure.name for figure in judged if not figure.met]
    line = f"targets: {len(judged) - len(missed)} met, {len(missed)} missed"
    return f"{line}: {'; '.join(missed)}" if missed else line


class FigureFile:
    """A JSON file of measurements, each with the machine it was made on; see :meth:`open`."""

    def __init__(self, path: Path, measured: dict[str, Any]) -> None:
        self.path = path
        self.measured = measured

    @classmethod
    def open(cls, path: Path) -> "FigureFile":
        """Take up a file, or begin one in a folder that is made.

        Raises:
            UserError: the folder or the file cannot be written or is not of this form.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            measured = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            if not isinstance(measured, dict):
                raise ValueError("not a mapping")
            # Written now, so that a mistake shows before anything is measured.
            write_json(path, measured)
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: cannot hold the figures: {error}") from error
        return cls(path, measured)

    def add(self, name: str, machine: dict[str, Any], figures: Iterable[Figure]) -> None:
        """Write a measurement; the file's other measurements stay. Raises ``OSError``."""
        rows = [{**asdict(figure), "met": figure.met} for figure in figures]
        self.measured[name] = {"machine": machine, "figures": rows}
        write_json(self.path, self.measured)


def _columns(figure: Figure) -> tuple[str, ...]:
    between = ""
    if figure.repeats > 1:
        between = f"{_number(figure.lowest)} - {_number(figure.highest)} of {figure.repeats}"
    return (
        figure.name,
        "-" if figure.value is None else _number(figure.value),
        figure.unit,
        str(figure.threads or ""),
        between,
        str(figure.target or ""),
        {True: "met", False: "MISSED", None: ""}[figure.met],
        figure.condition,
    )


def _line(columns: tuple[str, ...]) -> str:
    cells = [
        column.ljust(-width) if width < 0 else column.rjust(width)
        for column, width in zip(columns, _WIDTHS, strict=False)
    ]
    return " ".join([*cells, columns[-1]]).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
