"""``python -m localcloud.samples DIR``: makes the sample files and says what each can be found by."""

import sys
from pathlib import Path

from localcloud.samples.library import make_samples


def main() -> None:
    """Writes into the directory given as the only argument."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m localcloud.samples DIR")
    for sample in make_samples(Path(sys.argv[1])):
        sys.stdout.write(f"{sample.path.name:40} {sample.description}; try: {sample.query}\n")


if __name__ == "__main__":
    main()
