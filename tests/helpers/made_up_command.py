"""A command that does what its last option says, in the folder that the others name; its jobs."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from gnn_nas.files import write_text
from gnn_nas.run_folder import RunFolder


def main(options: list[str]) -> int | None:
    """Note in the folder that it has run, and how."""
    folder, what = Path(options[0]), options[1]
    print("begun", flush=True)
    if what == "fail":
        print("Traceback", file=sys.stderr)
        print("error: no luck", file=sys.stderr)
        return 2
    folder.mkdir(exist_ok=True)
    runs = len(list(folder.glob("pid*")))
    (folder / f"pid{runs}").write_text(str(os.getpid()))
    if what == "die-once" and not runs:
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "raise":
        raise ValueError("no luck")
    if what == "exit":
        sys.exit(3)
    if what == "hang":
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            (folder / "interrupted").touch()
            raise
    (folder / "threads").write_text(os.environ["OMP_NUM_THREADS"])
    (folder / "variable").write_text(os.environ.get("GNN_NAS_MADE_UP", ""))
    (folder / "where").write_text(os.getcwd())
    (folder / "called").write_text(repr(sys.argv))
    write_text(folder / "summary.json", '{"steps": 1}')
    return None


@dataclass(eq=False)
class Fake:
    """A job of this command."""

    folder: RunFolder
    what: str = "work"
    after: "Fake | None" = None
    steps: int = 1
    module: str = "tests.helpers.made_up_command"

    @property
    def name(self) -> str:
        return self.folder.path.name

    def options(self) -> list[str]:
        return [str(self.folder.path), self.what]

    def steps_done(self) -> int:
        return 0

    def noted(self, what: str) -> str:
        """What a run of the command has written."""
        path = self.folder.path / what
        return path.read_text() if path.exists() else ""


class Stopping(Fake):
    """A user presses Ctrl-C as soon as the job is on its way."""

    def steps_done(self) -> int:
        if self.noted("pid0"):
            raise KeyboardInterrupt
        return 0
