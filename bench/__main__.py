"""``bench``: measure speed and memory and print a table.

Without a name everything is measured; with ``--json FILE`` the figures are written there too.
"""

import argparse
import importlib
import os
import platform
import sys

NAMES = ("benchmark", "cells", "metric", "steps")


def main() -> None:
    """Run the named measurements."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=str(NAMES))
    parser.add_argument("--json", metavar="FILE", help="also write the figures as JSON")
    arguments = parser.parse_args()

    import torch

    from gnn_nas.files import write_json

    load = os.getloadavg()[0]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"
    print(f"{machine}, torch {torch.__version__}, load at the start {load:.2f}")
    found = {}
    for name in arguments.names or NAMES:
        print(f"\n{name}", file=sys.stderr)
        found[name] = importlib.import_module(f"bench.{name}").measure()
        for figure in found[name]:
            value = f"{figure.value:,.4g}" if figure.value < 1000 else f"{figure.value:,.0f}"
            print(f"{figure.name:42} {value:>14} {figure.unit:8} {figure.condition}")
    if arguments.json:
        figures = {name: [row._asdict() for row in rows] for name, rows in found.items()}
        write_json(arguments.json, {"machine": machine, "load": load, "figures": figures})


if __name__ == "__main__":
    main()
