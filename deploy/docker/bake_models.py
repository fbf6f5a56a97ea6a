"""``bake_models.py DIR``: puts the models a service would build at its first start into its image; for most, none."""

import importlib.util
import sys
from pathlib import Path


def main() -> int:
    """The command line; runs in the image's own environment."""
    if importlib.util.find_spec("embeddings") is None:
        sys.stdout.write("no models for this service\n")
        Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
        return 0
    from embeddings.minilm import built_graph  # noqa: PLC0415 - only two of the images have it

    sys.stdout.write(f"built {built_graph(Path(sys.argv[1]))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
