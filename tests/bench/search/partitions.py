"""``python -m tests.bench.search.partitions``: how evenly a hash of the user spreads vectors over partitions.

Tenants' sizes follow a Pareto distribution (exponent 1.1, from 200 vectors, cut at 300,000): many small, few huge.
"""

import hashlib
import sys

import numpy as np

PARTITIONS = (16, 64)
TENANTS = (1000, 20_000)
LARGEST = 300_000


def main() -> None:
    """Prints a line for each number of partitions and tenants."""
    random = np.random.default_rng(1)
    for tenants in TENANTS:
        sizes = np.minimum(random.pareto(1.1, tenants) * 200 + 10, LARGEST)
        hashes = [int(hashlib.sha256(f"user {i}".encode()).hexdigest(), 16) for i in range(tenants)]
        for partitions in PARTITIONS:
            places = np.array([value % partitions for value in hashes])
            load = np.bincount(places, weights=sizes, minlength=partitions) / (sizes.sum() / partitions)
            sys.stdout.write(
                f"{tenants:>6} tenants, {sizes.sum() / 1e6:5.1f} million vectors, {partitions} partitions:"
                f" largest {load.max():.2f}, smallest {load.min():.2f} of the mean\n"
            )


if __name__ == "__main__":
    main()
