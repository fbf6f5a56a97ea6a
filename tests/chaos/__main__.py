"""``python -m tests.chaos --minutes 3 --seed 7``: harm, heal, audit; prints history and seed."""

import argparse
import random
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from tests.chaos.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos", description="Harms a private system and audits what is left.")
    parser.add_argument("--minutes", type=float, default=3.0, help="of harm; healing and the audit come on top")
    parser.add_argument("--seed", type=int, help="plays the same files and faults again")
    parser.add_argument("--keep", action="store_true", help="leave the data and logs for a look")
    arguments = parser.parse_args()
    seed: int = random.randrange(1_000_000) if arguments.seed is None else arguments.seed
    directory = Path(tempfile.mkdtemp(prefix=f"mmsearch-chaos-{seed}-"))
    try:
        summary = run(directory, seed, arguments.minutes * 60, lambda line: print(line, flush=True))
    except Exception:
        traceback.print_exc()
        print(f"BROKEN with seed {seed}; data and logs are in {directory}", flush=True)
        return 1
    print(summary, flush=True)
    if not arguments.keep:
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
