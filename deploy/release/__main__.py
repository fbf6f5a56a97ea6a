"""``python -m deploy.release images|rollout|rollback … [--dry-run]``: the command line of a release.

Needs Python and gcloud (and docker for ``images``); nothing of the project has to be installed.
"""

import argparse
import sys

from deploy.release import commands
from deploy.release.commands import Place
from deploy.release.rollout import DryShell, ReleaseError, Rollout, Shell, take_back


def main() -> int:
    """Runs one of the three; the exit code."""
    arguments = _parse()
    place = Place(arguments.project, arguments.region, arguments.image_root)
    shell = DryShell() if arguments.dry_run else Shell()
    try:
        match arguments.action:
            case "images":
                for command in commands.build(place, arguments.version, arguments.commit):
                    shell.run(command)
            case "rollout":
                Rollout(
                    place, arguments.version, arguments.soak_seconds, arguments.most_errors, arguments.workers, shell
                ).run()
            case _:
                take_back(place, arguments.version, shell, arguments.workers)
    except ReleaseError as failure:
        sys.stderr.write(f"release failed: {failure}\n")
        return 1
    return 0


def _parse() -> argparse.Namespace:
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--project", required=True)
    everywhere.add_argument("--region", required=True)
    everywhere.add_argument("--image-root", required=True, help="the output registry of terraform")
    everywhere.add_argument("--version", required=True, type=commands.checked_version, help="like v1.2.3")
    everywhere.add_argument("--dry-run", action="store_true", help="print every command, run none")
    parser = argparse.ArgumentParser(prog="deploy.release", description="Brings a version to Cloud Run in steps.")
    actions = parser.add_subparsers(dest="action", required=True)
    images = actions.add_parser("images", parents=[everywhere], help="build and push the five images")
    images.add_argument("--commit", required=True, help="what /version will tell")
    rollout = actions.add_parser(
        "rollout", parents=[everywhere], help="migrate, then each service to 10, 50 and 100 %%"
    )
    rollout.add_argument("--soak-seconds", type=int, default=180, help="how long each step is watched")
    rollout.add_argument("--most-errors", type=int, default=5, help="more than these in that time end the release")
    back = actions.add_parser("rollback", parents=[everywhere], help="all traffic to an earlier version")
    for action in (rollout, back):
        action.add_argument("--workers", type=commands.checked_stages, default=(), help="which pull: analyzer,embedder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
