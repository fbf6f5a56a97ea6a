"""Starts LanceDB or Chroma over the same vectors in an environment of their own; answers time and recall like ours."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.search.measuring import ROUNDS, TOP, Bench, Selection, Timing
from tests.bench.search.server import ROOT

ENVIRONMENT = ROOT / ".venv-bench"
HERE = Path(__file__).parent


def interpreter() -> Path:
    """The environment's Python; installs what ``requirements.txt`` names when it is not there."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(ENVIRONMENT)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(HERE / "requirements.txt")]
        subprocess.run(install, check=True)
    return python


class Rival:
    """One engine in its own process."""

    def __init__(self, process: subprocess.Popen[str], bench: Bench) -> None:
        self._process = process
        self._bench = bench
        self._files = [file for files in bench.stored.file_of.values() for file in files]
        self.built_s: float = self._read()["built_s"]

    def timing(self, user_id: str, selection: Selection) -> Timing:
        """Every question, after all of them once; passages become files as ours do."""
        assert self._process.stdin is not None
        asked = {"user": user_id, "first_day": selection.first_day, "rounds": ROUNDS}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        hit = sought = missing = 0
        for question, ids in enumerate(answer["found"]):
            found = list(dict.fromkeys(self._files[i].upload_id for i in ids))[:TOP]
            truth = self._bench.nearest_files(user_id, selection, question)
            hit, sought = hit + len(set(found) & set(truth)), sought + len(truth)
            missing = max(missing, len(truth) - len(found))
        return Timing(answer["milliseconds"], hit / sought if sought else 1.0, missing)

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the engine ended with {self._process.wait(10)}")
        return json.loads(line)


@contextmanager
def running(engine: str, bench: Bench, python: Path, home: Path) -> Iterator[Rival]:
    """The engine filled with the bench's vectors."""
    directory = home / f"{engine}-{bench.dimensions}"
    shutil.rmtree(directory, ignore_errors=True)
    data = home / f"rival-{bench.dimensions}.npz"
    users = [file.user_id for files in bench.stored.file_of.values() for file in files]
    days = [file.day for files in bench.stored.file_of.values() for file in files]
    vectors = np.concatenate([bench.stored.vectors[user] for user in bench.stored.file_of])
    np.savez(data, users=np.array(users), days=np.array(days), vectors=vectors, questions=bench.vectors)
    log = (home / f"{engine}.log").open("w")
    process = subprocess.Popen(
        [str(python), str(HERE / "rivals.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        assert process.stdin is not None
        told = {"engine": engine, "data": str(data), "directory": str(directory)}
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        yield Rival(process, bench)
    finally:
        process.kill()
        process.wait(30)
        for pipe in (process.stdin, process.stdout, log):
            if pipe is not None:
                pipe.close()
        shutil.rmtree(directory, ignore_errors=True)
