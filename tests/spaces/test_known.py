import pytest

from gnn_nas.config import SpaceConfig
from gnn_nas.errors import UserError
from gnn_nas.spaces.known import SPACES, described_space, get_space
from gnn_nas.spaces.nasbench201 import NASBENCH201

FREE = "name: mine\nops: {a: mymodule:a, b: mymodule:B}\nmax_vertices: 6\nmax_edges: 9\n"


@pytest.fixture
def described(tmp_path):
    """Gives what a file of this text describes."""

    def described(text: str):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return described_space(path)

    return described


def test_a_name_is_of_a_space_of_the_package():
    assert described_space("nasbench201") == "nasbench201"
    assert get_space("nasbench201") is NASBENCH201
    assert get_space(described_space("large")).max_vertices == 8
    with pytest.raises(UserError, match=r"nowhere: neither a file nor a space.*nasbench101.*large"):
        described_space("nowhere")
    with pytest.raises(UserError, match="there is no space nowhere"):
        get_space("nowhere")


def test_a_file_describes_a_space_with_free_edges(described):
    space = get_space(described(FREE + "parameters: {a: 9}\nmax_edits: 2\n"))
    assert (space.name, space.ops, space.modules) == (
        "mine",
        ("a", "b"),
        ("mymodule:a", "mymodule:B"),
    )
    assert (space.max_vertices, space.max_edges, space.max_edits) == (6, 9, 2)
    assert space.parameters == (9.0, 1.0)
    assert space.wiring is None


def test_a_file_describes_a_space_with_ops_on_edges(described):
    space = get_space(described("name: mine\nops: [a, b, c]\non: edges\nnodes: 4\n"))
    assert space.nodes == 4
    assert space.wiring == NASBENCH201.wiring
    assert space.max_edits == 1


def test_a_file_describes_a_space_with_given_edges(described):
    chain = [[i, i + 1] for i in range(9)]
    space = get_space(described(f"name: chain\nops: [a, b]\nedges: {chain}\n"))
    assert space.max_vertices == 10
    assert space.wiring == tuple((i, i + 1) for i in range(9))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: a b\nops: [x]\nmax_vertices: 4\nmax_edges: 4\n", "name must"),
        ("name: mine\nops: [x, x]\nmax_vertices: 4\nmax_edges: 4\n", "ops: two ops have one name"),
        (
            "name: mine\nops: {x: a, y: 3}\nmax_vertices: 4\nmax_edges: 4\n",
            "ops.y must be a string",
        ),
        (
            "name: mine\nops: {x: a}\nmax_vertices: 4\nmax_edges: 4\n",
            "a, of x, is no module:object",
        ),
        (
            "name: mine\nops: {x: a:b, y: null}\nmax_vertices: 4\nmax_edges: 4\n",
            "y is null, but oth",
        ),
        ("name: mine\nops: [x]\nmax_vertices: 4\n", "a space with free edges needs max_edges"),
        ("name: mine\nops: [x]\non: edges\n", "a space with on: edges needs nodes"),
        ("name: mine\nops: [x]\non: edges\nnodes: 4\nmax_edges: 4\n", "takes no max_edges"),
        ("name: mine\nops: [x]\nedges: [[0, 1, 2]]\n", "edges.0"),
        (
            "name: mine\nops: [x]\nedges: [[0, 1], [2, 1], [1, 3]]\n",
            "does not lead from a lower vertex to a higher",
        ),
        ("name: mine\nops: [x]\nedges: [[0, 2]]\n", "vertex 1 has no edge"),
        (
            "name: mine\nops: [x]\nmax_vertices: 12\nmax_edges: 4\n",
            "max_vertices must be from 3 to 11",
        ),
        (
            "name: mine\nops: [x]\non: edges\nnodes: 5\n",
            "max_vertices must be from 3 to 11, not 12",
        ),
        ("name: mine\nops: [x]\nmax_vertices: 4\nmax_edges: 1\n", "max_edges must be at least 2"),
        (
            "name: mine\nops: [input]\nmax_vertices: 4\nmax_edges: 4\n",
            "input is the name of two ops",
        ),
        ("name: mine\nops: []\nmax_vertices: 4\nmax_edges: 4\n", "it has no ops"),
        (FREE + "parameters: {c: 1}\n", "parameters: c is none of the ops"),
        (FREE + "max_edit: 1\n", "unknown key max_edit, did you mean max_edits?"),
        (FREE.replace("mine", "nasbench101"), "the name of one that comes with gnn_nas"),
    ],
)
def test_what_is_no_space_is_refused_in_one_line(described, text, problem):
    with pytest.raises(UserError) as error:
        described(text)
    assert problem in str(error.value)
    assert "\n" not in str(error.value)
    assert "mine.yaml" in str(error.value) or str(error.value).startswith("space ")


def test_its_ops_may_be_a_list_of_names():
    assert SpaceConfig(name="x", ops=["a", "b"], max_vertices=4, max_edges=4).ops == {
        "a": None,
        "b": None,
    }


def test_all_spaces_are_called_by_their_names():
    assert all(space.name == name for name, space in SPACES.items())
