"""Measures the Pub/Sub emulator in a process of its own: latency when idle, throughput, memory, idle CPU.

Run it with ``python tests/bench/pubsub_emulator.py``; it prints medians and asserts nothing.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conformance.pubsub_emulator.cloud import Cloud, eventually
from tests.conformance.pubsub_emulator.emulator_process import EmulatorProcess

BODY = b"x" * 1000
FLOOD = 20_000


class Arrivals:
    """Counts what a streaming pull delivered and how long each message took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.lock = threading.Lock()

    def __call__(self, message) -> None:
        sent = message.attributes.get("sent")
        with self.lock:
            self.seconds.append(time.time() - float(sent) if sent else 0.0)
        message.ack()


def repeated(times: int, action: Callable[[], object]) -> list[float]:
    """Seconds that each of so many calls took."""
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return taken


def line(name: str, value: float, unit: str) -> None:
    print(f"{name:<52}{value:>12,.1f} {unit}", flush=True)


def idle_latency(cloud: Cloud) -> None:
    topic = cloud.topic()
    subscriptions = [cloud.subscription(topic) for _ in range(3)]
    arrivals = [Arrivals() for _ in subscriptions]
    streams = [cloud.subscriber.subscribe(s, a) for s, a in zip(subscriptions, arrivals, strict=True)]
    time.sleep(0.5)
    published: list[float] = []
    for _ in range(100):
        published += repeated(1, lambda: cloud.publish(topic, BODY, sent=str(time.time())))
        time.sleep(0.02)
    eventually(lambda: all(len(a.seconds) >= 100 for a in arrivals))
    delivered = sorted(second for a in arrivals for second in a.seconds)
    line("idle: publish (library, 1 ms batching), median", statistics.median(published) * 1000, "ms")
    line("idle: publish to callback, 3 subscribers, median", statistics.median(delivered) * 1000, "ms")
    line("idle: publish to callback, 95th percentile", delivered[int(len(delivered) * 0.95)] * 1000, "ms")
    for stream in streams:
        stream.cancel()
        stream.result(timeout=30)


def raw_publish(cloud: Cloud) -> None:
    topic = cloud.topic()
    cloud.subscription(topic)
    for size in (1, 100):
        messages = [{"data": BODY}] * size
        taken = repeated(
            300 // (1 + size // 10) + 20, lambda m=messages: cloud.bare_publisher.publish(topic=topic, messages=m)
        )
        line(f"Publish RPC of {size}, one at a time, median", statistics.median(taken) * 1000, "ms")
        line(f"Publish RPC of {size}", size / statistics.median(taken), "messages/s")


def flood(cloud: Cloud, process: psutil.Process) -> None:
    topic = cloud.topic()
    subscription = cloud.subscription(topic)
    start = time.perf_counter()
    for future in [cloud.publisher.publish(topic, BODY) for _ in range(FLOOD)]:
        future.result(timeout=120)
    line("flood: publish through the library", FLOOD / (time.perf_counter() - start), "messages/s")
    arrivals = Arrivals()
    start = time.perf_counter()
    stream = cloud.subscriber.subscribe(subscription, arrivals)
    eventually(lambda: len(arrivals.seconds) >= FLOOD, patience=120)
    line("flood: deliver and acknowledge", FLOOD / (time.perf_counter() - start), "messages/s")
    stream.cancel()
    stream.result(timeout=30)
    line("memory after the floods", process.memory_info().rss / 2**20, "MiB")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        emulator = EmulatorProcess(Path(directory) / "data")
        line("start to ready", repeated(1, emulator.start)[0] * 1000, "ms")
        process = psutil.Process(emulator.pid)
        cloud = Cloud(emulator.host)
        try:
            line("memory when started", process.memory_info().rss / 2**20, "MiB")
            idle_latency(cloud)
            raw_publish(cloud)
            flood(cloud, process)
            before = sum(process.cpu_times()[:2])
            time.sleep(5)
            line("idle CPU afterwards", (sum(process.cpu_times()[:2]) - before) / 5 * 100, "% of a core")
        finally:
            cloud.close()
            line("SIGTERM to exit", repeated(1, emulator.stop)[0] * 1000, "ms")


if __name__ == "__main__":
    main()
