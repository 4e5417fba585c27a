import pytest

from gnn_nas.errors import UserError
from gnn_nas.plain_yaml import dump_yaml, parse_yaml, shortened


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("-5", -5), ("1e-3", 1e-3), ("5.", 5.0), ("'010'", "010"), ("x", "x")],
)
def test_numbers_are_decimal(text, value):
    assert parse_yaml(text, "x") == value


@pytest.mark.parametrize("text", ["010", "0x10", "1:30", "1_000", "1e400", "2020-01-01", "*a"])
def test_what_is_not_plain_names_its_line(text):
    with pytest.raises(UserError, match=r"^file: line 2: not YAML: "):
        parse_yaml(f"a: 1\nb: {text}", "file")


def test_texts_that_look_like_something_else_are_written_in_quotes():
    values = {"a": ["010", "1:30", "1e3", "1e400", "2020-01-01", "<<", "=", "no", "~", "&a", "*a"]}
    assert parse_yaml(dump_yaml(values), "x") == values


def test_quotations_are_short_and_in_one_line():
    assert shortened("a\n b") == "a b"
    assert shortened("a" * 100) == "a" * 100
    assert shortened("a" * 101) == "a" * 97 + "..."
