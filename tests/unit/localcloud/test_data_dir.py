"""The data directory: private files, secrets made once, one system at a time."""

import os
import shlex
from pathlib import Path

import pytest

from localcloud.data_dir import AlreadyRunningError, DataDir


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "a b" / "ü")


def test_a_secret_is_made_once_and_for_its_owner_only(data: DataDir) -> None:
    secret = data.secret("api-key", prefix="sk_")
    assert len(secret) == len("sk_") + 43
    assert data.secret("api-key", prefix="sk_") == secret
    assert data.secret("other") != data.secret("another")
    files = list((data.path / "secrets").iterdir())
    assert {path.name for path in files} == {"api-key", "other", "another"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_the_env_file_survives_any_value(data: DataDir) -> None:
    values = {"A": "with space", "B": 'it\'s $HOME `x` \\ "q"', "C": ""}
    with data.locked():
        data.write_env(values)
    words = [word.partition("=") for word in shlex.split(data.env.read_text()) if word != "export"]
    assert {name: value for name, _, value in words} == values
    assert data.env.stat().st_mode & 0o777 == 0o600
    data.remove_env()
    data.remove_env()
    assert not data.env.exists()


def test_one_system_at_a_time(data: DataDir) -> None:
    assert data.running_pid() is None
    with data.locked():
        assert data.running_pid() == os.getpid()
        with pytest.raises(AlreadyRunningError, match=f"pid {os.getpid()}"), data.locked():
            pass
    assert data.running_pid() is None
    with data.locked():
        pass


def test_a_process_directory_is_private(data: DataDir) -> None:
    assert data.of("postgres").stat().st_mode & 0o777 == 0o700
    assert data.of("postgres") == data.path / "postgres"


def test_a_process_directory_that_was_copied_open_is_made_private(data: DataDir) -> None:
    copied = data.path / "storage"
    copied.mkdir(mode=0o755, parents=True)
    copied.chmod(0o755)
    data.path.chmod(0o755)
    assert data.of("storage").stat().st_mode & 0o777 == 0o700
    assert data.path.stat().st_mode & 0o777 == 0o755, "it may be one that is used for other things too"
