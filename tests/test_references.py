import sys

import pytest

from gnn_nas.errors import UserError
from gnn_nas.references import is_reference, resolve, users_code


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_what_is_a_reference():
    assert is_reference("parts:Loss")
    assert is_reference("my.own.parts:Loss")
    for text in ("gin", "parts:", ":Loss", "a b:c", "parts:a b", "parts.yaml", "c:/x", ""):
        assert not is_reference(text), text


def test_a_module_is_found_in_the_current_folder_and_in_a_named_one(folder, monkeypatch):
    (folder / "here.py").write_text("class Own: pass")
    (folder / "sub").mkdir()
    (folder / "sub" / "there.py").write_text("value = 7")
    assert resolve("here:Own", "--x").__name__ == "Own"
    assert resolve("there:value", "--x", folder=str(folder / "sub")) == 7
    assert resolve("json:dumps", "--x") is __import__("json").dumps


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise KeyError('data')", r"cannot import own: KeyError: 'data' \(own.py, line 1\)"),
        ("\ndef f():\n    return 1 / 0\nf()", r"ZeroDivisionError: .* \(own.py, line 3\)"),
        ("import json\njson.loads('{')", r"JSONDecodeError: .* \(own.py, line 2\)"),
        ("\nimport absent", r"ModuleNotFoundError: No module named 'absent' \(own.py, line 2\)"),
        ("x = (", r"cannot import own: SyntaxError: .* \(own.py, line 1\)$"),
        ("import sys; sys.exit(3)", r"cannot import own: SystemExit: 3 \(own.py, line 1\)"),
        ("", "--x own:Part: the module has no Part$"),
    ],
)
def test_what_is_wrong_with_a_module_is_one_line_with_its_place(folder, source, message):
    (folder / "own.py").write_text(source)
    with pytest.raises(UserError, match=message) as caught:
        resolve("own:Part", "--x")
    assert str(caught.value).startswith("--x own:Part: ")
    assert "\n" not in str(caught.value)


def test_a_module_that_is_not_there_has_no_place(folder):
    with pytest.raises(UserError, match=r"not_there: ModuleNotFoundError: .*'not_there'$"):
        resolve("not_there:x", "--x")


def test_ctrl_c_in_the_user_s_code_is_no_error_of_it():
    with pytest.raises(KeyboardInterrupt), users_code("x"):
        raise KeyboardInterrupt
