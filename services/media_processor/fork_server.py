"""Turns lines of JSON on an inherited socket into forked children, one per job, and tells how each ended.

Runs as ``python -I -m media_processor.fork_server FD MODULE:FUNCTION [DIR…]`` in a clean environment with every
decoder loaded, so that a child starts in milliseconds; a function ``warm_up`` of the module is run before the first
child, so that none need do it again. It dies, and its children with it, when the socket closes.
"""

import contextlib
import ctypes
import errno
import gc
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Entry = Callable[[str], None]
"""What a child runs: one job as JSON; it leaves its results in files."""

_CLONE_NEWUSER, _CLONE_NEWNET, _PR_SET_PDEATHSIG = 0x10000000, 0x40000000, 1
EXIT_DEFECT, EXIT_LIMIT = 70, 71
"""What a child exits with when its entry raised: anything, or that memory or space ran out."""


@dataclass
class ForkServer:
    """Children by job number, and the socket on which their ends are told."""

    channel: socket.socket
    entry: Entry
    pids: dict[int, int] = field(default_factory=dict[int, int])

    def serve(self) -> None:
        """Works until the other side closes the socket, then kills what is left."""
        ended, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(ended, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self.channel, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            buffer = b""
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if ended in ready:
                    os.read(ended, 4096)
                    self._reap()
                if self.channel.fileno() in ready:
                    received = self.channel.recv(65536)
                    if not received:
                        break
                    *lines, buffer = (buffer + received).split(b"\n")
                    for line in lines:
                        self._obey(json.loads(line))
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)

    def _obey(self, order: dict[str, Any]) -> None:
        number: int = order["number"]
        if "kill" in order:
            if number in self.pids:  # not reaped yet, so the pid is still this child's
                os.kill(self.pids[number], signal.SIGKILL)
            return
        pid = os.fork()
        if pid == 0:
            self._become_child(order["job"], order["limits"])
        self.pids[number] = pid

    def _become_child(self, job: str, limits: dict[str, tuple[int, int]]) -> None:
        code = EXIT_DEFECT
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.channel.close()
            confine(limits)
            self.entry(job)
            code = 0
        except MemoryError:
            code = EXIT_LIMIT
        except OSError as error:
            code = EXIT_LIMIT if error.errno == errno.EFBIG else EXIT_DEFECT
        finally:
            os._exit(code)  # nothing may unwind into the server's loop

    def _reap(self) -> None:
        for number, pid in list(self.pids.items()):
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                del self.pids[number]
                end = {
                    "number": number,
                    "exit": os.waitstatus_to_exitcode(status),
                    "cpu_s": usage.ru_utime + usage.ru_stime,
                    "peak_rss": usage.ru_maxrss * 1024,
                }
                self.channel.sendall(json.dumps(end).encode() + b"\n")


def confine(limits: dict[str, tuple[int, int]]) -> None:
    """Puts this process under its limits; ``limits`` maps ``RLIMIT_`` names to (soft, hard)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for name, (soft, hard) in limits.items():
        resource.setrlimit(getattr(resource, name), (soft, hard))
    with contextlib.suppress(OSError):  # if memory runs out, this process is the one to go
        Path("/proc/self/oom_score_adj").write_text("1000")
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)


def leave_network() -> bool:
    """Moves into an empty network namespace; False where the kernel does not let us."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0


def main(arguments: list[str]) -> None:
    """Starts the server on an inherited socket, and says when it is ready."""
    descriptor, entry, *search_path = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    alone = leave_network()
    sys.path[:0] = search_path
    module, function = entry.split(":")
    found = importlib.import_module(module)
    loaded: Entry = getattr(found, function)
    getattr(found, "warm_up", lambda: None)()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(descriptor)) as channel:
        channel.sendall(json.dumps({"ready": True, "network_isolated": alone}).encode() + b"\n")
        ForkServer(channel, loaded).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
