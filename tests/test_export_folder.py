import pytest

from gnn_nas.errors import UserError
from gnn_nas.export_folder import filled_at_once, refuse_filled
from gnn_nas.files import temporary_name


def test_files_come_together_at_the_end(tmp_path):
    folder = tmp_path / "a" / "b"
    with filled_at_once(folder) as beside:
        (beside / "one").write_text("1")
        (beside / "two").write_text("2")
        assert not (folder / "one").exists()
    assert {path.name: path.read_text() for path in folder.glob("*o*")} == {"one": "1", "two": "2"}
    with pytest.raises(UserError, match=r"b holds files \(one\): give another --out"):
        refuse_filled(folder)


def test_what_fails_leaves_a_folder_that_can_be_filled(tmp_path):
    # As a killed call leaves it.
    temporary_name(tmp_path / "export").mkdir()
    filling = filled_at_once(tmp_path)
    (filling.__enter__() / "one").write_text("1")
    assert not filling.__exit__(ValueError, ValueError("no"), None)
    refuse_filled(tmp_path)
    with filled_at_once(tmp_path) as beside:
        (beside / "one").write_text("1")
    assert (tmp_path / "one").read_text() == "1"


def test_files_of_others_are_never_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("words")
    with (
        pytest.raises(UserError, match=r"holds files \(thesis.tex\)"),
        filled_at_once(tmp_path),
    ):
        pytest.fail("the block was entered")
    assert (tmp_path / "thesis.tex").read_text() == "words"
