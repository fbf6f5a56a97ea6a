"""``make bench``: measures the figures of docs/figures.md, on this machine, and prints them; asserts nothing.

Machines are shared and noisy: look at medians and ratios, and at the load printed first.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.bench import embeddings, media, system


def main() -> None:
    """All of it takes about five minutes on two cores."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    sys.stdout.write(f"{os.cpu_count()} cores, load {load}\n")
    with tempfile.TemporaryDirectory(prefix="mmsearch-bench-") as directory:
        for line in system.measure(Path(directory)):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    media.main()
    asyncio.run(embeddings.main(passes=3))


if __name__ == "__main__":
    main()
