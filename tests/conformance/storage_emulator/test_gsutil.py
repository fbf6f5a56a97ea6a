"""gsutil from the package index as a second client, over the TLS port; runs where GSUTIL or PATH has it."""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conformance.storage_emulator.process import StorageProcess

GSUTIL = os.environ.get("GSUTIL") or shutil.which("gsutil")
pytestmark = pytest.mark.skipif(not GSUTIL, reason="gsutil is not installed; set GSUTIL to its path")


class Gsutil:
    """Runs commands without credentials against the emulator."""

    def __init__(self, emulator: StorageProcess, directory: Path) -> None:
        self._directory = directory
        self._config = directory / "boto"
        self._config.write_text(
            f"[Credentials]\ngs_json_host = 127.0.0.1\ngs_json_port = {emulator.tls_port}\n"
            f"gs_host = 127.0.0.1\ngs_port = {emulator.tls_port}\n"
            "[Boto]\nhttps_validate_certificates = False\n"
            f"[GSUtil]\ndefault_project_id = local-project\nstate_dir = {directory / 'state'}\n"
            "software_update_check_period = 0\n"
        )

    def __call__(self, *arguments: str) -> str:
        # The Cloud SDK's wrapper would otherwise bring in whatever account its user is logged in with.
        environment = {
            **os.environ,
            "BOTO_CONFIG": str(self._config),
            "CLOUDSDK_CONFIG": str(self._directory / "gcloud"),
            "CLOUDSDK_CORE_PASS_CREDENTIALS_TO_GSUTIL": "false",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        }
        assert GSUTIL is not None
        ended = subprocess.run(
            [GSUTIL, *arguments],
            cwd=self._directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


def test_a_working_day(emulator: StorageProcess, tmp_path: Path) -> None:
    gsutil = Gsutil(emulator, tmp_path)
    bucket = f"gs://gsutil-{secrets.token_hex(6)}"
    large = os.urandom(20_000_000)
    (tmp_path / "large.bin").write_bytes(large)
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    for name in ("a", "sub/b", "ünï c.txt"):
        (tree / name).write_text(f"content of {name}\n")

    gsutil("mb", bucket)
    gsutil("cp", "large.bin", f"{bucket}/large.bin")
    gsutil("cp", f"{bucket}/large.bin", "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == large
    gsutil("-m", "rsync", "-r", "tree", f"{bucket}/tree")
    assert gsutil("ls", f"{bucket}/tree/").split("\n")[:-1] == [
        f"{bucket}/tree/a",
        f"{bucket}/tree/ünï c.txt",
        f"{bucket}/tree/sub/",
    ]
    assert gsutil("cat", "-r", "0-6", f"{bucket}/tree/sub/b") == "content"
    gsutil("-m", "rm", "-r", bucket)
