"""The project's own samples: real files of all kinds, the same each time, and all of them can be read."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from contracts.artifacts import Kind
from localcloud.samples import make_many, make_samples
from media_processor.decoded import Decoded
from tests.unit.media_processor.conftest import Decode


def test_every_sample_is_read_whole(tmp_path: Path, output: Path, decode: Decode) -> None:
    samples = make_samples(tmp_path / "samples")
    decoded = {sample.path.name: decode(sample.path) for sample in samples}
    assert {d.kind for d in decoded.values()} == set(Kind)
    assert not [name for name, d in decoded.items() if d.degradations or not d.thumbnail]
    assert len(decoded["emma-turns-seven.mp4"].pictures) == 4
    assert "bergamot" in decoded["kestrel-coffee-quarterly-report.pdf"].texts[1].text
    assert len({sample.query for sample in samples}) == len(samples)


def test_samples_made_later_are_the_same(tmp_path: Path) -> None:
    made: list[list[bytes]] = []
    for name in ("now", "later"):
        made.append([sample.path.read_bytes() for sample in make_samples(tmp_path / name)])
        time.sleep(2.1)  # archives note times of two seconds
    assert made[0] == made[1]


def test_many_are_mixed_small_and_each_has_its_word(tmp_path: Path, decode: Decode) -> None:
    samples = make_many(tmp_path / "many", 20, seed=3)
    assert len({sample.query for sample in samples}) == 20
    decoded = [decode(sample.path) for sample in samples]
    assert {d.kind for d in decoded} == set(Kind)
    assert max(sample.path.stat().st_size for sample in samples) < 100_000
    for sample, found in zip(samples, decoded, strict=True):
        assert sample.query in sample.path.name + words_of(found)


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    first, second = (make_many(tmp_path / name, 10, seed=5) for name in ("a", "b"))
    assert [s.path.read_bytes() for s in first] == [s.path.read_bytes() for s in second]
    assert [s.query for s in make_many(tmp_path / "c", 10, seed=6)] != [s.query for s in first]


@pytest.mark.parametrize("arguments", [[], ["one", "two"]])
def test_the_command_wants_a_directory(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "localcloud.samples", *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "usage" in done.stderr) == (2, True)


def words_of(decoded: Decoded) -> str:
    return " ".join([*(t.text for t in decoded.texts), *decoded.properties.tags.values()])
