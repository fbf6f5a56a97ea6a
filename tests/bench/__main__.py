"""``make bench``: measures the figures the README states, on this machine, and prints them; asserts nothing.

Machines are shared and noisy: look at medians and ratios, and at the load printed first.
"""

import os
import sys
import tempfile
from pathlib import Path

from tests.bench import system


def main() -> None:
    """All of it takes about four minutes on two cores."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    sys.stdout.write(f"{os.cpu_count()} cores, load {load}\n")
    with tempfile.TemporaryDirectory(prefix="mmsearch-bench-") as directory:
        for line in system.measure(Path(directory)):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
