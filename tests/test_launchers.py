"""The launchers, with a stand-in for Python that notes its calls instead of installing."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What the launchers use besides Python, for a machine that lacks all else.
TOOLS = ("bash", "cp", "flock", "mkdir", "mv", "readlink", "rm")

# Makes environments that hold itself; $FAKE/pip says what pip is to do.
FAKE_PYTHON = """\
#!/usr/bin/env bash
case "$1 $2" in
"-c "*print*) echo "${0##*/}-venv" ;;
"-c "*) exit 0 ;;
"-m venv") echo venv >>"$FAKE/calls"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
"-m pip") echo pip >>"$FAKE/calls"; echo "$@" >"$FAKE/pip-arguments"; . "$FAKE/pip" ;;
*) echo "$GOMP_SPINCOUNT $PWD $*" >>"$FAKE/runs"; echo "$GNN_NAS_LAUNCHER" >>"$FAKE/names" ;;
esac
"""


class Project:
    """A copy of the launchers, and what was called through them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a project"
        self.fake = folder / "fake"
        self.requirements = self.root / "pyproject.toml"
        self.lock = self.root / "requirements.lock"
        self.venv = self.root / ".venv"
        shutil.copytree(ROOT / "bin", self.root / "bin")
        self.requirements.write_text("pins = 1\n")
        self.lock.write_text("pins = 1\n")
        (self.fake / "bin").mkdir(parents=True)
        self.command("python3", FAKE_PYTHON)
        self.pip("")

    def command(self, name: str, script: str = "#!/bin/sh\nexit 1\n") -> None:
        """Put a command on PATH, by default one that fails, as a Python of another version does."""
        path = self.fake / "bin" / name
        path.write_text(script)
        path.chmod(0o755)

    def bare(self) -> dict[str, str]:
        """Give an environment with nothing on PATH but the commands put there and ``TOOLS``."""
        for name in TOOLS:
            if tool := shutil.which(name):
                (self.fake / "bin" / name).symlink_to(tool)
        return {"PATH": str(self.fake / "bin")}

    def pip(self, script: str) -> None:
        (self.fake / "pip").write_text(script)

    def start(self, *arguments: str | Path, **options) -> subprocess.Popen:
        path = f"{self.fake / 'bin'}:{os.environ['PATH']}"
        environment = {**os.environ, "FAKE": str(self.fake), "PATH": path}
        environment.pop("GOMP_SPINCOUNT", None)
        environment |= options.pop("environment", {})
        return subprocess.Popen(
            [str(argument) for argument in arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )

    def call(self, *arguments: str | Path, **options) -> tuple[int, str]:
        process = self.start(*(arguments or [self.root / "bin" / "pretrain"]), **options)
        _, errors = process.communicate(timeout=60)
        return process.returncode, errors

    def calls(self) -> list[str]:
        """Give what was done to make the environment since the last time this was asked."""
        log = self.fake / "calls"
        calls = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return calls

    def runs(self) -> list[str]:
        return (self.fake / "runs").read_text().splitlines()


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


def test_the_first_call_installs_visibly_and_runs_and_the_second_only_runs(project):
    status, errors = project.call(project.root / "bin" / "pretrain", "--config", "a b.yaml")
    assert status == 0
    assert "making the Python environment" in errors
    assert project.calls() == ["venv", "pip"]
    assert (project.fake / "pip-arguments").read_text() == (
        "-m pip install --constraint requirements.lock --editable .[dev]\n"
    )
    assert project.call() == (0, "")
    assert project.calls() == []
    assert project.runs()[0].endswith("-P -m gnn_nas pretrain --config a b.yaml")
    assert len(project.runs()) == 2


def test_launchers_work_from_anywhere_through_links_and_without_stdin(project, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(project.root / "bin" / "pretrain")
    status, _ = project.call("bash", "-c", 'exec "$0" <&-', link, cwd=tmp_path)
    assert status == 0
    assert project.venv.exists()
    assert f" {tmp_path} " in project.runs()[0]


def test_a_command_hears_what_it_was_called_by(project, tmp_path):
    project.call()
    assert project.call("bash", "-c", "bin/nao-search; ../bin/bench", cwd=project.root)[0] != 0
    (project.root / "below").mkdir()
    assert project.call("../bin/bench", cwd=project.root / "below")[0] == 0
    names = (project.fake / "names").read_text().split("\n")
    assert names == [str(project.root / "bin" / "pretrain"), "bin/nao-search", "../bin/bench", ""]


def test_tests_run_in_the_project_and_get_their_arguments(project, tmp_path):
    assert project.call(project.root / "bin" / "test", "-k", "x y", cwd=tmp_path)[0] == 0
    (run,) = project.runs()
    assert f" {project.root} -P -m pytest -n logical " in run
    assert run.endswith(" -k x y")


def test_check_is_format_lint_types_and_tests(project, tmp_path):
    assert project.call(project.root / "bin" / "check", cwd=tmp_path)[0] == 0
    *others, tests = [run.partition(" -P -m ")[2].strip() for run in project.runs()]
    assert others == ["ruff format --check .", "ruff check .", "mypy"]
    assert tests.startswith("pytest ")


def test_waiting_threads_soon_sleep_unless_said_otherwise(project):
    project.call()
    project.call(environment={"GOMP_SPINCOUNT": "7"})
    assert [run.split()[0] for run in project.runs()] == ["20000", "7"]


@pytest.mark.parametrize("changed", ["requirements", "lock"])
def test_changed_versions_are_installed_into_the_same_environment(project, changed):
    project.call()
    project.calls()
    getattr(project, changed).write_text("pins = 2\n")
    assert project.call()[0] == 0
    assert project.calls() == ["pip"]
    assert project.call() == (0, "")


def test_a_moved_project_is_installed_again(project):
    project.call()
    project.calls()
    project.root = project.root.rename(project.root.with_name("moved"))
    project.call()
    assert project.calls() == ["pip"]


def test_an_environment_made_by_hand_is_completed_not_rebuilt(project):
    (project.venv / "bin").mkdir(parents=True)
    shutil.copy(project.fake / "bin" / "python3", project.venv / "bin" / "python")
    (project.venv / "mine").touch()
    assert project.call()[0] == 0
    assert project.calls() == ["pip"]
    assert (project.venv / "mine").exists()


def test_an_environment_whose_python_is_gone_is_rebuilt(project):
    project.call()
    project.calls()
    (project.venv / "bin" / "python").unlink()
    (project.venv / "bin" / "python").symlink_to("/nowhere/python3.11")
    assert project.call()[0] == 0
    assert project.calls() == ["venv", "pip"]


@pytest.mark.parametrize("killed", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_install_is_begun_anew(project, killed):
    # pip ends Ctrl-C in good order with status 1, like any failure.
    project.pip(
        "trap 'exit 1' INT TERM; touch \"$FAKE/busy\"; for i in {1..300}; do sleep .1; done"
    )
    process = project.start(project.root / "bin" / "pretrain")
    while not (project.fake / "busy").exists():
        time.sleep(0.01)
    os.killpg(process.pid, killed)
    process.communicate(timeout=60)
    assert process.returncode != 0
    project.calls()
    project.pip("")
    assert project.call()[0] == 0
    assert project.calls() == ["venv", "pip"]
    assert len(project.runs()) == 1
    assert project.call() == (0, "")


def test_an_interrupted_update_is_begun_anew(project):
    project.call()
    project.calls()
    project.lock.write_text("pins = 2\n")
    project.pip("kill -9 0")
    assert project.call()[0] != 0
    project.pip("")
    project.lock.write_text("pins = 1\n")
    project.calls()
    assert project.call()[0] == 0
    assert project.calls() == ["venv", "pip"]


def test_a_failure_of_pip_ends_in_one_clear_line(project):
    project.pip("echo 'no network' >&2; exit 1")
    status, errors = project.call()
    assert status == 1
    assert "no network" in errors
    assert errors.splitlines()[-1].startswith("error: the packages could not be installed")
    assert not (project.fake / "runs").exists()
    project.pip("")
    assert project.call()[0] == 0


def test_a_failed_update_keeps_the_environment(project):
    project.call()
    project.lock.write_text("pins = 2\n")
    project.pip("exit 1")
    assert project.call()[0] == 1
    project.calls()
    project.pip("")
    assert project.call()[0] == 0
    assert project.calls() == ["pip"]


def test_python3_is_taken_before_any_other(project):
    for name in ("python3.11", "python3.14", "python"):
        project.command(name, FAKE_PYTHON.replace("echo venv", "echo another"))
    assert project.call(environment=project.bare())[0] == 0
    assert project.calls() == ["venv", "pip"]


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13", "python3.14", "python"])
def test_a_python_of_another_name_is_taken_where_python3_is_none_of_the_four(project, name):
    project.command("python3")
    project.command(name, FAKE_PYTHON)
    assert project.call(environment=project.bare())[0] == 0
    assert project.calls() == ["venv", "pip"]


@pytest.mark.parametrize(
    ("version", "taken"),
    [((3, 10), False), ((3, 11), True), ((3, 14), True), ((3, 15), False), ((4, 0), False)],
)
def test_pythons_are_taken_for_which_the_versions_were_chosen(project, version, taken):
    # What is asked is run by the Python of these tests, that says another version.
    asked = f"import sys; sys.version_info = {(*version, 0)}; exec(sys.argv[1])"
    project.command(
        "python3",
        f"""#!/usr/bin/env bash
if [[ $1 == -c ]]; then exec {sys.executable} -c '{asked}' "$2"; fi
{FAKE_PYTHON}""",
    )
    assert (project.call(environment=project.bare())[0] == 0) is taken


def test_uv_gets_a_python_where_there_is_none(project):
    project.command("python3")
    project.command("fake-python", FAKE_PYTHON)
    project.command(
        "uv",
        """#!/usr/bin/env bash
echo "$*" >>"$FAKE/uv-arguments"
mkdir -p "${@: -1}/bin"
cp "$FAKE/bin/fake-python" "${@: -1}/bin/python"
""",
    )
    assert project.call(environment=project.bare())[0] == 0
    arguments = (project.fake / "uv-arguments").read_text()
    assert arguments == f"venv --seed --python 3.13 {project.venv}\n"
    assert project.calls() == ["pip"]
    assert len(project.runs()) == 1


def test_a_failure_of_uv_ends_in_one_clear_line(project):
    project.command("python3")
    project.command("uv", "#!/bin/sh\necho 'no network' >&2\nexit 2\n")
    status, errors = project.call(environment=project.bare())
    assert status == 1
    assert "no network" in errors
    assert errors.splitlines()[-1].startswith("error: uv cannot make")


def test_a_python_without_venv_is_said_with_the_remedy(project):
    project.command("python3")
    project.command("python3.13", FAKE_PYTHON.replace("echo venv", "exit 1; echo venv"))
    status, errors = project.call(environment=project.bare())
    assert status == 1
    assert errors.splitlines()[-1].startswith("error: cannot make")
    assert errors.splitlines()[-1].endswith("'apt install python3.13-venv')")


def test_a_missing_python_is_said_with_the_remedy(project):
    project.command("python3")
    status, errors = project.call(environment=project.bare())
    assert status == 1
    assert errors.startswith("error: Python 3.11, 3.12, 3.13 or 3.14 is needed")
    assert len(errors.splitlines()) == 1
    assert not project.venv.exists()


@pytest.mark.parametrize("name", ["lock", "test-lowest"])
def test_a_missing_uv_is_said_with_the_remedy(project, name):
    status, errors = project.call(project.root / "bin" / name, environment=project.bare())
    assert status == 1
    assert errors.startswith("error: uv is needed")
    assert len(errors.splitlines()) == 1


@pytest.mark.skipif(shutil.which("flock") is None, reason="flock is not installed")
def test_two_first_calls_install_once(project):
    project.pip("sleep 1")
    processes = [project.start(project.root / "bin" / "pretrain") for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert project.calls() == ["venv", "pip"]
    assert sum("waiting" in text for text in errors) == 1
    assert len(project.runs()) == 2
