"""``sources_of.py SERVICE --into DIR``: copies the packages that one service's image holds, and says which.

Follows imports from the service's modules through libs; what another service or the command line needs stays behind.
"""

import argparse
import ast
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("", "libs", "services")
SERVICES = ("upload-gateway", "media-processor", "analyzer", "embedder", "search")
_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.pyc", "testing.py")


@dataclass(frozen=True)
class Imports:
    """What one module imports: as it loads, and only when one of its functions runs."""

    loading: frozenset[str]
    running: frozenset[str]


def package_of(service: str) -> str:
    """``upload-gateway`` → ``upload_gateway``."""
    return service.replace("-", "_")


def entry_points(service: str) -> tuple[str, ...]:
    """Every module of the service, and for a service with migrations the one that runs them."""
    package = package_of(service)
    root = ROOT / "services" / package
    modules = [_module_name(path, ROOT / "services") for path in sorted(root.rglob("*.py"))]
    own = [module for module in modules if ".migrations." not in module]
    return (*own, "database.migrate") if (root / "migrations").is_dir() else tuple(own)


def source_of(module: str) -> Path | None:
    """The file of one of our modules, or None for anybody else's."""
    parts = module.split(".")
    for room in ROOMS:
        path = (ROOT / room).joinpath(*parts)
        if (path / "__init__.py").is_file():
            return path / "__init__.py"
        if path.with_suffix(".py").is_file() and len(parts) > 1:
            return path.with_suffix(".py")
    return None


def imports_of(path: Path) -> Imports:
    """Modules and names of modules imported by a file; what is only for the type checker is left out."""
    loading: set[str] = set()
    running: set[str] = set()
    _collect(ast.parse(path.read_text()), loading, running, in_function=False)
    return Imports(frozenset(loading), frozenset(running - loading))


def closure(service: str) -> dict[str, Imports]:
    """Every module of ours that is loaded when the service's modules are, with its imports."""
    reached: dict[str, Imports] = {}
    waiting = list(entry_points(service))
    while waiting:
        module = waiting.pop()
        source = source_of(module)
        if source is None or module in reached:
            continue
        reached[module] = imports_of(source)
        waiting += reached[module].loading
        waiting += [parent for parent in _parents(module) if parent not in reached]
    return reached


def packages(service: str) -> tuple[Path, ...]:
    """The packages of the image, relative to the repository, sorted."""
    tops = {module.split(".")[0] for module in closure(service)}
    found = (Path(room) / top for top in tops for room in ROOMS if (ROOT / room / top / "__init__.py").is_file())
    return tuple(sorted(found))


def copy(service: str, target: Path) -> None:
    """Puts the packages below ``target`` as they lie in the repository."""
    for package in packages(service):
        shutil.copytree(ROOT / package, target / package, ignore=_LEFT_BEHIND)


def put_on_path(venv: Path, target: Path) -> None:
    """Makes the copied packages importable in an environment, also for an isolated interpreter (``python -I``)."""
    (site_packages,) = venv.glob("lib/python*/site-packages")
    rooms = [target / room for room in ROOMS]
    (site_packages / "mmsearch.pth").write_text("".join(f"{room}\n" for room in rooms))


def _collect(node: ast.AST, loading: set[str], running: set[str], *, in_function: bool) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import | ast.ImportFrom):
            (running if in_function else loading).update(_names(child))
        inside = in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        _collect(child, loading, running, in_function=inside)


def _names(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif node.module:
        yield node.module
        # "from package import module" names a module as often as not; what is none is nobody's source.
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[:n]) for n in range(1, len(parts)))


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="sources_of.py", description="The source packages of one service's image.")
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("--into", type=Path, help="copy them below this directory")
    parser.add_argument("--venv", type=Path, help="the environment that is to find them there")
    arguments = parser.parse_args()
    if arguments.into:
        copy(arguments.service, arguments.into)
    if arguments.into and arguments.venv:
        put_on_path(arguments.venv, arguments.into)
    sys.stdout.write("".join(f"{package}\n" for package in packages(arguments.service)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
