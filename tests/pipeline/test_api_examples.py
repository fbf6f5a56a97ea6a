"""The examples of docs/api.md, pasted one after the other into a shell as a reader would: no request is refused."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.pipeline.local_system import LocalSystem

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
_TOOLS = ("bash", "curl", "jq")
_TIMED_OUT = 28
_SHELL = f"""
set -euo pipefail
curl() {{ command curl --fail-with-body --max-time 60 "$@" || [ $? = {_TIMED_OUT} ]; }}
"""
"""Stops at the first refusal; a stream without end ends by its timeout."""


def examples() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(not all(map(shutil.which, _TOOLS)), reason="needs bash, curl and jq")
def test_every_example_works_when_pasted(system: LocalSystem, tmp_path: Path) -> None:
    pasted = "\n".join(examples())
    assert ". DIR/env" in pasted
    pasted = pasted.replace(". DIR/env", f". {system.data_dir}/env").replace("-m 5 ", "-m 2 ")
    script = tmp_path / "examples.sh"
    script.write_text(_SHELL + pasted)
    done = subprocess.run(["bash", script], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    assert '"error":{' not in re.sub(r'"error":\{"code":"not_found"[^}]*\{\}\}', "", done.stdout)
    assert "idempotent-replay: true" in done.stdout.lower()
    assert "Boats left the harbour" in (tmp_path / "copy.txt").read_text()
    assert '"resumed":true' in done.stdout
