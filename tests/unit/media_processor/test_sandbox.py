"""A file may do anything to its child; the service gets a code, and lives."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.artifacts import FailureCode, Kind
from eventing.errors import Reject
from media_processor.decoded import MAX_DEGRADATIONS, Decoded
from media_processor.sandbox import Sandbox, SandboxLimits, SandboxLostError
from tests.unit.media_processor import files

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEHAVIOURS = """
import ctypes, json, os, signal, socket, sys, time
from pathlib import Path

def run(job_json):
    job = json.loads(job_json)
    output = Path(job["output"])
    def report(text):
        (output / "report.json").write_text(text)
    def report_image(**more):
        report(json.dumps({"decoded": {"kind": "image", "media_type": "x", "properties": {}, **more}}))
    match job["filename"]:
        case "spins":
            while True: pass
        case "sleeps":
            (output / "pid").write_text(str(os.getpid()))
            time.sleep(60)
        case "eats memory":
            held = [bytearray(1 << 20) for _ in range(100_000)]
        case "is eaten by the kernel":
            os.kill(os.getpid(), signal.SIGKILL)
        case "fills the disk":
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            with open(output / "big", "wb") as file:
                while True: file.write(bytes(1 << 20))
        case "crashes":
            ctypes.string_at(0)
        case "aborts":
            os.abort()
        case "raises":
            raise RuntimeError("boom")
        case "writes too much":
            with open(output / "big", "wb") as file:
                while True: file.write(bytes(1 << 20))
        case "leaves":
            os._exit(3)
        case "says nothing":
            pass
        case "lies":
            report('{"decoded": {"kind": "nonsense"}}')
        case "names a file outside":
            picture = {"name": "../../etc/passwd", "locator": {}, "width": 1, "height": 1}
            report_image(pictures=[picture])
        case "links to a file outside":
            os.symlink("/etc/passwd", output / "thumbnail.jpg")
            thumbnail = {"name": "thumbnail.jpg", "media_type": "image/jpeg"}
            report_image(thumbnail=thumbnail)
        case "spins in a step" | "crashes in a step" | "eats memory in a step" | "fills the disk in a step" as name:
            step = name.removesuffix(" in a step")
            text = {"text": "read", "locator": {}, "source": "text"}
            noted = [{"step": f"page {n}", "reason": "damaged"} for n in range(20)]
            decoded = {"kind": "document", "media_type": "x", "texts": [text], "degradations": noted}
            (output / "unfinished-0001.json").write_text(json.dumps({"step": "preview", "decoded": decoded}))
            (output / "unfinished-0002.json").write_text('{"step": "speech", "deco')
            run(json.dumps(job | {"filename": step}))
        case "dies at page 40.pdf":
            from media_processor import decoding
            from media_processor.documents import pdf
            render = pdf._render
            def dying(document, index, *rest):
                if index == 39:
                    os.kill(os.getpid(), signal.SIGKILL)
                return render(document, index, *rest)
            pdf._render = dying
            decoding.run(job_json)
        case "looks around":
            network = ",".join(name for _, name in socket.if_nameindex())
            facts = {"environment": repr(sorted(os.environ)), "network": network, "core": "", "cwd": os.getcwd()}
            facts["descriptors"] = str(len(os.listdir("/proc/self/fd")))
            report_image(properties={"tags": facts})
"""

LIMITS = SandboxLimits(wall_s=20, cpu_s=3, memory_bytes=400 * 1024**2, file_bytes=4 * 1024**2)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage_set(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    directory = tmp_path_factory.mktemp("behaviours")
    (directory / "behaviours_of_bad_files.py").write_text(BEHAVIOURS)
    async with Sandbox(LIMITS, "behaviours_of_bad_files:run", [directory]) as started:
        yield started


async def behave(sandbox: Sandbox, output: Path, name: str) -> Decoded:
    return await sandbox.decode(output / "source", name, output)


ENDS = {
    "spins": FailureCode.TIMEOUT,
    "eats memory": FailureCode.RESOURCE_LIMIT,
    "is eaten by the kernel": FailureCode.RESOURCE_LIMIT,
    "fills the disk": FailureCode.RESOURCE_LIMIT,
    "writes too much": FailureCode.RESOURCE_LIMIT,
    "crashes": FailureCode.CORRUPT,
    "aborts": FailureCode.CORRUPT,
    "leaves": FailureCode.CORRUPT,
    "says nothing": FailureCode.CORRUPT,
    "lies": FailureCode.CORRUPT,
    "names a file outside": FailureCode.CORRUPT,
    "links to a file outside": FailureCode.CORRUPT,
}


async def test_what_is_not_the_files_fault_is_tried_again(stage_set: Sandbox, sandbox: Sandbox, output: Path) -> None:
    with pytest.raises(SandboxLostError):
        await behave(stage_set, output, "raises")
    with pytest.raises(SandboxLostError):
        await sandbox.decode(output / "not-there", "a.jpg", output)


@pytest.mark.parametrize(("name", "code"), ENDS.items())
async def test_every_end_of_a_child_is_a_code(stage_set: Sandbox, output: Path, name: str, code: FailureCode) -> None:
    with pytest.raises(Reject) as caught:
        await behave(stage_set, output, name)
    assert caught.value.code is code
    assert str(output) not in caught.value.message


@pytest.mark.parametrize(
    ("name", "reason"),
    {
        "spins in a step": "took more than 3 s of computing",
        "crashes in a step": "its decoder gave up on it",
        "eats memory in a step": "more memory or space than is allowed",
        "fills the disk in a step": "more memory or space than is allowed",
    }.items(),
)
async def test_an_end_in_an_optional_step_costs_that_step(
    stage_set: Sandbox, output: Path, name: str, reason: str
) -> None:
    decoded = await behave(stage_set, output, name)
    assert [text.text for text in decoded.texts] == ["read"]
    assert (decoded.degradations[0].step, len(decoded.degradations)) == ("preview", MAX_DEGRADATIONS)
    assert reason in decoded.degradations[0].reason


async def test_what_was_read_before_a_real_decoder_ended_is_kept(
    stage_set: Sandbox, output: Path, tmp_path: Path
) -> None:
    source = files.pdf_file(tmp_path / "a.pdf", pages=41)
    decoded = await stage_set.decode(source, "dies at page 40.pdf", output)
    assert (len(decoded.texts), decoded.properties.page_count) == (41, 41)
    assert decoded.thumbnail
    assert [place.locator.page for place in decoded.storyboard] == list(range(1, 31))
    assert [degradation.step for degradation in decoded.degradations] == ["pictures"]


async def test_a_child_that_hangs_is_killed_in_time(output: Path, tmp_path: Path) -> None:
    (tmp_path / "behaviours_of_bad_files.py").write_text(BEHAVIOURS)
    async with Sandbox(SandboxLimits(wall_s=0.3), "behaviours_of_bad_files:run", [tmp_path]) as sandbox:
        with pytest.raises(Reject) as caught:
            await behave(sandbox, output, "sleeps")
    assert caught.value.code is FailureCode.TIMEOUT
    assert not alive(int((output / "pid").read_text()))


async def test_cancelling_kills_the_child_and_nobody_else(stage_set: Sandbox, output: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    task = asyncio.create_task(behave(stage_set, output, "sleeps"))
    neighbour = asyncio.create_task(behave(stage_set, beside, "sleeps"))
    pids = [await pid_in(directory) for directory in (output, beside)]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [alive(pid) for pid in pids] == [False, True]
    neighbour.cancel()
    with pytest.raises(asyncio.CancelledError):
        await neighbour


async def test_the_child_sees_no_secrets_and_no_network(stage_set: Sandbox, output: Path) -> None:
    tags = (await behave(stage_set, output, "looks around")).properties.tags
    assert "PATH" not in tags["environment"]
    assert int(tags["descriptors"]) <= 8
    if stage_set.network_isolated:
        assert tags["network"] == "lo"


async def test_a_fork_server_that_dies_is_replaced(output: Path, tmp_path: Path) -> None:
    (tmp_path / "behaviours_of_bad_files.py").write_text(BEHAVIOURS)
    async with Sandbox(LIMITS, "behaviours_of_bad_files:run", [tmp_path]) as sandbox:
        task = asyncio.create_task(behave(sandbox, output, "sleeps"))
        child = await pid_in(output)
        os.kill(parent_of(child), signal.SIGKILL)
        with pytest.raises(SandboxLostError):
            await task
        await gone(child)
        assert (await behave(sandbox, output, "looks around")).kind is Kind.IMAGE


async def test_nothing_is_left_when_the_sandbox_closes(output: Path, tmp_path: Path) -> None:
    (tmp_path / "behaviours_of_bad_files.py").write_text(BEHAVIOURS)
    async with Sandbox(LIMITS, "behaviours_of_bad_files:run", [tmp_path]) as sandbox:
        task = asyncio.create_task(behave(sandbox, output, "sleeps"))
        child = await pid_in(output)
    with pytest.raises(SandboxLostError):
        await task
    await gone(child)


async def test_a_fork_server_that_cannot_start_says_so() -> None:
    with pytest.raises(SandboxLostError, match="did not start"):
        async with Sandbox(LIMITS, "no_such_module:run"):
            pass


async def test_real_files_in_many_children_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    made = [
        files.image_file(tmp_path / "a.jpg"),
        files.pdf_file(tmp_path / "b.pdf"),
        files.audio_file(tmp_path / "c.mp3"),
    ]
    bad = [files.pixel_bomb(tmp_path / "d.png"), files.zip_bomb(tmp_path / "e.docx", 600), tmp_path / "f.txt"]
    bad[2].write_bytes(bytes(range(256)) * 9)
    results = await asyncio.gather(*(decode_one(sandbox, path) for path in [*made, *bad, *made]))
    assert results == [
        *(Kind.IMAGE, Kind.DOCUMENT, Kind.AUDIO),
        *(FailureCode.RESOURCE_LIMIT, FailureCode.RESOURCE_LIMIT, FailureCode.UNSUPPORTED_FORMAT),
        *(Kind.IMAGE, Kind.DOCUMENT, Kind.AUDIO),
    ]


async def test_memory_of_a_real_decoder_is_limited(sandbox: Sandbox, tmp_path: Path) -> None:
    large = files.blank_png(tmp_path / "a.png", 19_000, 10_000)
    async with Sandbox(SandboxLimits(memory_bytes=320 * 1024**2)) as narrow:
        assert await decode_one(narrow, large) is FailureCode.RESOURCE_LIMIT
        assert await decode_one(narrow, files.image_file(tmp_path / "c.jpg")) is Kind.IMAGE
    assert await decode_one(sandbox, large) is Kind.IMAGE


async def decode_one(sandbox: Sandbox, path: Path) -> Kind | FailureCode:
    output = path.parent / f"out-{time.monotonic_ns()}"
    output.mkdir()
    try:
        return (await sandbox.decode(path, path.name, output)).kind
    except Reject as reject:
        return reject.code


async def pid_in(directory: Path) -> int:
    while not (directory / "pid").is_file() or not (directory / "pid").read_text():
        await asyncio.sleep(0.01)
    return int((directory / "pid").read_text())


async def gone(pid: int) -> None:
    while alive(pid):
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
