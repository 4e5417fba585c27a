"""The rows of ``metrics.jsonl``, as a file's content has them."""

from __future__ import annotations

from typing import Any

from gnn_nas.errors import UserError
from gnn_nas.files import parse_json

# Far beyond any figure, and yet a number to draw.
_LARGEST = 1e300


def parse_rows(content: bytes, source: object) -> list[dict[str, Any]]:
    """Give all whole rows; a torn last line is left out.

    Raises:
        UserError: another line of ``source`` is no row.
    """
    rows = []
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        row = parse_json(line)
        if row is None or not _is_row(row):
            raise UserError(
                f"{source}: line {number} is no row of metrics: mend or delete the line"
            )
        rows.append(row)
    return rows


def _is_row(row: dict[str, Any]) -> bool:
    """Whether it is of a step, and all but its kind are numbers or unknown."""
    figures = [value for key, value in row.items() if key != "kind"]
    numbers = [value for value in figures if value is not None]
    return (
        type(row.get("step")) is int
        and row["step"] >= 0
        and isinstance(row.get("kind", ""), str)
        and all(type(value) in (int, float) and abs(value) < _LARGEST for value in numbers)
    )
