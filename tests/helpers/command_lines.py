"""Command lines as people type them, read by the real commands' parsers."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from dataclasses import dataclass

from gnn_nas.cli.main import VERBS, root_parser
from tests.helpers.pages import ROOT

# What else may stand in a block; none of it is run.
OTHERS = {".", "bin/check", "bin/docs", "bin/test", "cd", "export", "pip", "wget"}
OTHERS |= {".venv/bin/pip", "uv"}


@dataclass(frozen=True)
class Call:
    """A call of one of our commands.

    Args:
        verb: of ``gnn-nas``, empty where there is none.
        arguments: behind it.
    """

    verb: str
    arguments: list[str]

    @property
    def argv(self) -> list[str]:
        """Arguments of ``gnn-nas``."""
        return [self.verb, *self.arguments] if self.verb else self.arguments


def lines(text: str) -> list[list[str]]:
    """The words of every command of a block."""
    joined = text.replace("\\\n", " ").splitlines()
    return [words for line in joined if (words := shlex.split(line, comments=True))]


def call(words: list[str]) -> Call | None:
    """What a command line calls of ours.

    Raises:
        ValueError: it is none of ours, and no other program that may stand in a block.
    """
    while re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    program, arguments = words[0].removeprefix("../"), words[1:]
    if program == ".venv/bin/torchrun":
        place = arguments.index("-m")
        program, arguments = "python", arguments[place:]
    if program.removeprefix(".venv/bin/") in ("python", "python3") and arguments[0] == "-m":
        module, *arguments = arguments[1:]
        if module == "gnn_nas":
            return _of_verb(arguments)
        if module.startswith("bench."):
            if importlib.util.find_spec(module) is None:
                raise ValueError(f"there is no module {module}")
            return None
    if program.removeprefix(".venv/bin/") == "gnn-nas":
        return _of_verb(arguments)
    launcher = ROOT / program
    if program.startswith("bin/") and program not in OTHERS and launcher.is_file():
        said = re.search(r"-m gnn_nas ([\w-]+)", launcher.read_text(encoding="utf-8"))
        if said:
            return Call(said[1], arguments)
    if program not in OTHERS:
        raise ValueError(f"nobody knows {program}")
    return None


def _of_verb(arguments: list[str]) -> Call:
    return Call(arguments[0], arguments[1:]) if arguments[0] in VERBS else Call("", arguments)


def parsed(call: Call) -> argparse.Namespace:
    """The arguments of a call, as its command reads them; none where it asks for help.

    Raises:
        SystemExit: the command refuses them.
    """
    module = importlib.import_module(f"gnn_nas.cli.{VERBS[call.verb][0]}") if call.verb else None
    parser = module.parser() if module else root_parser()
    try:
        return parser.parse_args(call.arguments)
    except SystemExit as stop:
        if stop.code:
            raise
        return argparse.Namespace()
