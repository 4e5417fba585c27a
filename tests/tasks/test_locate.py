import pytest

from gnn_nas.errors import UserError
from gnn_nas.tasks.image_task import ImageTask
from gnn_nas.tasks.locate import SHIPPED, load_task


@pytest.mark.parametrize("name", SHIPPED)
def test_what_comes_with_the_package(name):
    task = load_task(name)
    assert isinstance(task, ImageTask)
    assert task.name == name


@pytest.mark.parametrize("reference", ["digit", "a b:c", "module:", ":object", "x.json"])
def test_what_is_no_task(reference):
    with pytest.raises(UserError, match=r"neither digits nor FILE.yaml nor module:object"):
        load_task(reference)
    with pytest.raises(UserError, match=r"absent.yaml: cannot read"):
        load_task("absent.yaml")
