"""Turns pictures into text by one child process: started on demand, kept warm, ended when idle, replaced when it fails.

Reading takes up to 400 MB and native code that may crash; neither stays in the service.
"""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from types import TracebackType

from pydantic import ValidationError

from analyzer.backends.local.ocr_messages import LENGTH, MAX_FRAME, ONLY_COLOURS, OcrAnswer

_WORKER = "analyzer.backends.local.ocr_worker"


class OcrFailed(Exception):
    """This picture could not be read; the next one may well be."""


class _ChildDied(Exception):
    """The child ended without an answer."""


class OcrProcess:
    """Reads one picture at a time, whoever asks; callers queue in order.

    ``timeout_s`` bounds one picture, starting the child included (1 s warm, 4 s when its files are cold).
    Without ``reads_text`` only colours are looked at. ``idle_s`` after the last picture the child ends and gives its
    memory back. Belongs to one event loop. Close it, or use it as an async context manager.
    """

    def __init__(
        self, *, timeout_s: float = 60, idle_s: float = 300, reads_text: bool = True, worker: str = _WORKER
    ) -> None:
        self._timeout_s = timeout_s
        self._idle_s = idle_s
        self.reads_text = reads_text
        self._worker = worker
        self._turn = asyncio.Lock()
        self._child: Process | None = None
        self._killed: list[Process] = []
        self._idle_timer: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The running child's process id, None while there is none."""
        return self._child.pid if self._child and self._child.returncode is None else None

    async def read(self, picture: bytes) -> OcrAnswer:
        """What is in an encoded picture (JPEG, PNG, …). Raises :class:`OcrFailed`.

        A child that dies gets one second chance with the same picture: it may have been killed for another's memory.
        """
        if not 0 < len(picture) <= MAX_FRAME:
            raise OcrFailed(f"a picture of {len(picture)} bytes is not read")
        async with self._turn:
            self._stop_idle_timer()
            try:
                try:
                    answer = await self._ask(picture)
                except _ChildDied:
                    answer = await self._ask(picture)
            except _ChildDied as error:
                raise OcrFailed("the OCR process died twice over this picture") from error
            finally:
                self._idle_timer = asyncio.get_running_loop().call_later(self._idle_s, self._kill)
        if answer.error:
            raise OcrFailed(answer.error)
        return answer

    async def aclose(self) -> None:
        """Ends the child, if there is one."""
        self._stop_idle_timer()
        self._kill()
        for child in self._killed:
            await child.wait()

    async def __aenter__(self) -> "OcrProcess":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _ask(self, picture: bytes) -> OcrAnswer:
        try:
            async with asyncio.timeout(self._timeout_s):
                child = await self._running()
                return await _exchange(child, picture)
        except TimeoutError as error:
            self._kill()
            raise OcrFailed(f"reading took longer than {self._timeout_s:.0f} s") from error
        except ValidationError as error:
            self._kill()
            raise OcrFailed("the OCR process answered nonsense") from error
        except (OSError, EOFError) as error:
            self._kill()
            raise _ChildDied from error
        except BaseException:  # cancelled: an answer that nobody waits for must not meet the next question
            self._kill()
            raise

    async def _running(self) -> Process:
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._worker, *([] if self.reads_text else [ONLY_COLOURS])),
                stdin=PIPE,
                stdout=PIPE,
                env=_environment(),
            )
        return self._child

    def _kill(self) -> None:
        child, self._child = self._child, None
        self._killed = [gone for gone in self._killed if gone.returncode is None]
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            self._killed.append(child)

    def _stop_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None


async def _exchange(child: Process, picture: bytes) -> OcrAnswer:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    child.stdin.write(LENGTH.pack(len(picture)) + picture)
    await child.stdin.drain()
    (length,) = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
    if length > MAX_FRAME:
        raise EOFError
    return OcrAnswer.model_validate_json(await child.stdout.readexactly(length))


def _environment() -> dict[str, str]:
    """No secret of the service reaches the child; freed memory goes back to the system (180 MB kept instead of 450)."""
    return {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_TRIM_THRESHOLD_": "1048576",
        "MALLOC_MMAP_THRESHOLD_": "1048576",
    }
