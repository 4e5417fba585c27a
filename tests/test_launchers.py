"""The launchers, with a stand-in for Python that notes its calls instead of installing."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Makes environments that hold itself; $FAKE/pip says what pip is to do.
FAKE_PYTHON = """\
#!/usr/bin/env bash
case "$1 $2" in
"-c "*) exit 0 ;;
"-m venv") echo venv >>"$FAKE/calls"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
"-m pip") echo pip >>"$FAKE/calls"; echo "$@" >"$FAKE/pip-arguments"; . "$FAKE/pip" ;;
*) echo "$GOMP_SPINCOUNT $PWD $*" >>"$FAKE/runs" ;;
esac
"""


class Project:
    """A copy of the launchers, and what was called through them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a project"
        self.fake = folder / "fake"
        self.pins = self.root / "pyproject.toml"
        self.venv = self.root / ".venv"
        shutil.copytree(ROOT / "bin", self.root / "bin")
        self.pins.write_text("pins = 1\n")
        (self.fake / "bin").mkdir(parents=True)
        python = self.fake / "bin" / "python3.11"
        python.write_text(FAKE_PYTHON)
        python.chmod(0o755)
        self.pip("")

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
    assert (project.fake / "pip-arguments").read_text() == "-m pip install --editable .[dev]\n"
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


def test_tests_run_in_the_project_and_get_their_arguments(project, tmp_path):
    assert project.call(project.root / "bin" / "test", "-k", "x y", cwd=tmp_path)[0] == 0
    assert project.runs()[0].endswith(f" {project.root} -P -m pytest -k x y")


def test_check_is_format_lint_types_and_tests(project, tmp_path):
    assert project.call(project.root / "bin" / "check", cwd=tmp_path)[0] == 0
    commands = [run.partition(" -P -m ")[2].strip() for run in project.runs()]
    assert commands == ["ruff format --check .", "ruff check .", "mypy", "pytest"]


def test_waiting_threads_soon_sleep_unless_said_otherwise(project):
    project.call()
    project.call(environment={"GOMP_SPINCOUNT": "7"})
    assert [run.split()[0] for run in project.runs()] == ["20000", "7"]


def test_changed_pins_are_installed_into_the_same_environment(project):
    project.call()
    project.calls()
    project.pins.write_text("pins = 2\n")
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
    shutil.copy(project.fake / "bin" / "python3.11", project.venv / "bin" / "python")
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
    project.pins.write_text("pins = 2\n")
    project.pip("kill -9 0")
    assert project.call()[0] != 0
    project.pip("")
    project.pins.write_text("pins = 1\n")
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
    project.pins.write_text("pins = 2\n")
    project.pip("exit 1")
    assert project.call()[0] == 1
    project.calls()
    project.pip("")
    assert project.call()[0] == 0
    assert project.calls() == ["pip"]


def test_a_missing_python_is_said_with_the_remedy(project):
    for name in ("python3.11", "python3", "python"):
        command = project.fake / "bin" / name
        command.write_text("#!/bin/sh\nexit 1\n")
        command.chmod(0o755)
    status, errors = project.call()
    assert status == 1
    assert errors.startswith("error: Python 3.11 is needed")
    assert len(errors.splitlines()) == 1
    assert not project.venv.exists()


@pytest.mark.skipif(shutil.which("flock") is None, reason="flock is not installed")
def test_two_first_calls_install_once(project):
    project.pip("sleep 1")
    processes = [project.start(project.root / "bin" / "pretrain") for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert project.calls() == ["venv", "pip"]
    assert sum("waiting" in text for text in errors) == 1
    assert len(project.runs()) == 2
