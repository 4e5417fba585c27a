import importlib

import pytest

from bench.__main__ import APART, NAMES, main


def test_help_tells_what_every_name_measures(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    for name in NAMES + APART:
        module = importlib.import_module(f"bench.{name}")
        assert f"  {name:10} {module.__doc__.splitlines()[0]}" in text


def test_an_unknown_name_is_answered_by_all_names(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["cells", "speed"])
    assert (
        f"speed cannot be measured; what can is {', '.join(NAMES + APART)}"
        in capsys.readouterr().err
    )
