"""Marks of finished jobs: the same code and settings are recognised, any change is too."""

from pathlib import Path

import pytest

from localcloud.job_marks import Mark, fingerprint


def test_a_mark_is_set_for_one_fingerprint(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "done", "a")
    assert not mark.is_set()
    mark.set()
    assert mark.is_set()
    assert not Mark(mark.path, "b").is_set()


def test_a_mark_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "missing" / "done", "a")
    mark.set()
    assert not mark.is_set()


def test_any_source_file_and_any_word_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "marked_package"
    (package / "migrations").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    seen = {fingerprint(["marked_package"], "a")}
    assert fingerprint(["marked_package"], "a") in seen
    seen.add(fingerprint(["marked_package"], "b"))
    (package / "migrations/0001.py").write_text("one")
    seen.add(fingerprint(["marked_package"], "a"))
    (package / "migrations/0001.py").write_text("two")
    seen.add(fingerprint(["marked_package"], "a"))
    (package / "migrations/0001.py").rename(package / "migrations/0002.py")
    seen.add(fingerprint(["marked_package"], "a"))
    assert len(seen) == 5


def test_a_package_that_is_not_there_is_no_failure() -> None:
    assert fingerprint(["no_such_package"]) == fingerprint([])
