"""``completion``: what makes a shell complete the commands and their options."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

from gnn_nas.cli.common import command_parser, repeated, run_guarded

_DESCRIPTION = """\
Print a script that makes a shell complete the verbs of gnn-nas, their options and their values.
"""

_EPILOG = """\
examples:
  %(prog)s bash > ~/.local/share/bash-completion/completions/gnn-nas
  %(prog)s zsh > ~/.zfunc/_gnn-nas     with ~/.zfunc in $fpath
  %(prog)s fish > ~/.config/fish/completions/gnn-nas.fish

Shells that are opened from then on complete. Make it again after an update.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(parser().parse_args(argv)), repeated("completion", argv))


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("completion", _DESCRIPTION, _EPILOG)
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="whose script")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    import shtab

    # Not at the top: it is what imports this module.
    from gnn_nas.cli.main import VERBS, root_parser

    root = root_parser()
    verbs = root.add_subparsers()
    for verb, (module, about) in VERBS.items():
        one = importlib.import_module(f"gnn_nas.cli.{module}").parser()
        verbs.add_parser(verb, parents=[one], add_help=False, help=about)
    print(shtab.complete(root, arguments.shell))
