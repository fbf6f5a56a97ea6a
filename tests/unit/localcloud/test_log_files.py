"""Output of processes into lines: pieces, endless lines, rotation, the console."""

from pathlib import Path

import pytest

from localcloud.log_files import ProcessLog


def test_pieces_become_lines(tmp_path: Path) -> None:
    log = ProcessLog("web", tmp_path)
    assert log.feed(b"ein") == []
    assert log.feed("s é\r\nzwei\ndr".encode()) == ["eins é", "zwei"]
    log.close()
    assert (tmp_path / "web.log").read_text().splitlines() == ["eins é", "zwei", "dr"]


def test_what_is_no_text_is_logged_all_the_same(tmp_path: Path) -> None:
    log = ProcessLog("web", tmp_path)
    assert log.feed(b"\xff\x00\n") == ["�\x00"]
    log.close()


def test_a_line_without_end_does_not_grow_for_ever(tmp_path: Path) -> None:
    log = ProcessLog("web", tmp_path)
    lines = [line for _ in range(20) for line in log.feed(b"x" * 100_000)]
    assert sum(map(len, lines)) >= 2_000_000 - 400_000
    assert max(map(len, lines)) < 400_000
    log.close()


def test_files_are_rotated(tmp_path: Path) -> None:
    log = ProcessLog("web", tmp_path)
    for _ in range(60):
        log.feed(b"x" * 1_000_000 + b"\n")
    log.close()
    assert {path.name for path in tmp_path.iterdir()} == {"web.log", "web.log.1", "web.log.2", "web.log.3"}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 45_000_000


def test_the_console_shows_who_speaks_and_the_tail_is_kept(tmp_path: Path) -> None:
    shown: list[str] = []
    log = ProcessLog("web", tmp_path, shown.append, None)
    for number in range(40):
        log.write(str(number))
    log.close()
    assert shown[0] == "web               | 0"
    assert list(log.tail) == [str(number) for number in range(25, 40)]


def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shown: list[str] = []
    (tmp_path / "web.log").symlink_to("/dev/full")
    log = ProcessLog("web", tmp_path, shown.append)
    assert log.feed(b"one\ntwo\nrest") == ["one", "two"]
    log.close()
    assert [line.split("| ")[1] for line in "\n".join(shown).split("\n")] == ["one", "two", "rest"]
    assert capfd.readouterr().err == ""
