import re

import pytest

from gnn_nas.errors import UserError, reported


def test_an_oserror_says_what_failed_and_why(tmp_path):
    path = tmp_path / "absent" / "file"
    line = f"cannot write {path}: No such file or directory"
    with (
        pytest.raises(UserError, match=f"^{re.escape(line)}$") as raised,
        reported(f"cannot write {path}"),
    ):
        path.write_text("")
    assert isinstance(raised.value.__cause__, OSError)


def test_other_errors_and_none_pass():
    with pytest.raises(ValueError, match=r"^other$"), reported("cannot write"):
        raise ValueError("other")
    with reported("cannot write"):
        pass
