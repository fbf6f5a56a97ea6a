"""``python -m localcloud.samples [--json] DIR``: makes the sample files and says what each can be found by."""

import argparse
import json
import sys
from pathlib import Path

from localcloud.samples.library import make_samples


def main() -> None:
    """Writes into the directory given."""
    parser = argparse.ArgumentParser(prog="localcloud.samples")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--json", action="store_true", help="a list of path, query and description for programs")
    arguments = parser.parse_args()
    samples = make_samples(arguments.directory)
    if arguments.json:
        listed = [{"path": str(s.path), "query": s.query, "description": s.description} for s in samples]
        sys.stdout.write(json.dumps(listed) + "\n")
        return
    for sample in samples:
        sys.stdout.write(f"{sample.path.name:40} {sample.description}; try: {sample.query}\n")


if __name__ == "__main__":
    main()
