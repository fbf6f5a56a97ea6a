"""The conventions of the house, executable: names, sizes, who reads the environment, one name per event."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.artifacts import Service
from contracts.events import EVENTS
from contracts.topology import SUBSCRIPTIONS

ROOT = Path(__file__).parents[2]
ROOMS = ("contracts", "libs", "services", "deploy/local")
BANNED_NAMES = {"utils", "util", "core", "common", "helpers", "helper", "shared", "base", "misc", "kit", "tools"}
MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 60
MAX_MAIN_LINES = 40


def modules() -> Iterator[Path]:
    for room in ROOMS:
        yield from (path for path in (ROOT / room).rglob("*.py"))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_module_is_named_for_a_thing() -> None:
    nameless = [relative(p) for p in modules() if {p.stem, *p.relative_to(ROOT).parts} & BANNED_NAMES]
    assert nameless == []


def test_every_module_says_what_it_is() -> None:
    silent = [relative(p) for p in modules() if p.stat().st_size and not ast.get_docstring(ast.parse(p.read_text()))]
    assert silent == []


def test_files_and_functions_stay_readable() -> None:
    long = []
    for path in modules():
        source = path.read_text()
        if source.count("\n") > MAX_FILE_LINES:
            long.append(f"{relative(path)}: {source.count(chr(10))} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    long.append(f"{relative(path)}:{node.lineno} {node.name}: {length} lines")
    assert long == []


def test_only_settings_read_the_environment_of_services_and_libs() -> None:
    allowed = {"settings.py", "migrate.py"}
    readers = [
        relative(p)
        for p in modules()
        if p.parts[len(ROOT.parts)] in ("services", "libs")
        and "libs/mmsearch" not in relative(p)
        and p.name not in allowed
        and re.search(r"os\.environ|os\.getenv", p.read_text())
    ]
    assert readers == []


@pytest.mark.parametrize("service", list(Service), ids=lambda s: s.value)
def test_a_service_has_its_slots_and_composes_on_one_screen(service: Service) -> None:
    room = ROOT / "services" / service.value.replace("-", "_")
    assert (room / "main.py").exists()
    assert (room / "settings.py").exists()
    assert len((room / "main.py").read_text().splitlines()) <= MAX_MAIN_LINES


def test_the_handler_files_are_the_subscriptions() -> None:
    for service in Service:
        room = ROOT / "services" / service.value.replace("-", "_") / "handlers"
        expected = {
            "on_" + re.sub(r"_v\d+$", "", s.event.module_name()) + ".py" for s in SUBSCRIPTIONS if s.service is service
        }
        assert {p.name for p in room.glob("on_*.py")} == expected, service


def test_every_event_is_heard_by_someone() -> None:
    assert {s.event for s in SUBSCRIPTIONS} == set(EVENTS)


def test_nothing_happens_at_import() -> None:
    """Module level holds definitions and constants, never a call that opens, starts or reads something."""
    forbidden = {"open", "connect", "start", "run", "Thread", "Client", "create_async_engine", "get_event_loop"}
    doing = []
    for path in modules():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call):
                called = node.value.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                if name in forbidden:
                    doing.append(f"{relative(path)}:{node.lineno} {name}()")
    assert doing == []
