"""``python -m localcloud up | down | status``: the command line of one system; ``mmsearch`` calls it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from localcloud import control
from localcloud.data_dir import DataDir
from localcloud.up import Wish, up


def main(argv: Sequence[str]) -> int:
    """The exit code."""
    arguments = _parse(argv)
    data = DataDir(arguments.data_dir)
    if arguments.command == "down":
        return control.down(data)
    if arguments.command == "status":
        return control.status(data, as_json=arguments.json)
    if arguments.detach:
        return control.up_detached(data, [argument for argument in argv[1:] if argument != "--detach"])
    return up(Wish(data, arguments.port, arguments.quiet, arguments.retry_min, arguments.retry_max))


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localcloud", description="The whole system on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--data-dir", type=Path, required=True, help="where the system keeps everything")
    start = commands.add_parser("up", parents=[everywhere], help="run it until Ctrl-C")
    start.add_argument("--port", type=int, default=8080, help="the public port on 127.0.0.1")
    start.add_argument("--quiet", action="store_true", help="log lines go to files only")
    start.add_argument("--detach", action="store_true", help="return when it is ready, leave it running")
    start.add_argument("--retry-min", type=float, help="first backoff of a failed event in seconds (tests)")
    start.add_argument("--retry-max", type=float, help="longest backoff of a failed event in seconds (tests)")
    commands.add_parser("down", parents=[everywhere], help="stop it")
    report = commands.add_parser("status", parents=[everywhere], help="say how it is")
    report.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
