"""Measures media-processor beside the bare library: thumbnails beside Pillow's draft mode, frames beside a PyAV loop.

Run it with ``python -m tests.bench.media``; it prints medians and ratios and asserts nothing.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in (".", "libs", "services")]

import av  # noqa: E402
from PIL import Image, ImageDraw  # noqa: E402

from localcloud.samples.pdf import write_pdf  # noqa: E402
from media_processor import formats, pictures  # noqa: E402
from media_processor.decoded import DecodeLimits, Job  # noqa: E402
from media_processor.decoding import report_on  # noqa: E402
from media_processor.kinds import image, video  # noqa: E402
from media_processor.kinds.row import Source  # noqa: E402

PHOTO, FILM = (4000, 3000), (1280, 720)
FILM_S, SCENE_S, FRAMES_PER_S = 120, 8, 25
PAGES = 200
GOAL = 1.5


def make_photo(path: Path) -> Path:
    """12 megapixels of shapes and grain, about 3 MB."""
    chance = random.Random(1)
    small = Image.frombytes("RGB", (1000, 750), chance.randbytes(1000 * 750 * 3)).resize(PHOTO)
    shapes = Image.new("RGB", PHOTO)
    pen = ImageDraw.Draw(shapes)
    for _ in range(300):
        x, y, size = chance.randrange(PHOTO[0]), chance.randrange(PHOTO[1]), chance.randrange(50, 700)
        colour = (chance.randrange(256), chance.randrange(256), chance.randrange(256))
        pen.ellipse((x, y, x + size, y + size), fill=colour)
    Image.blend(shapes, small, 0.2).save(path, quality=88)
    return path


def make_film(path: Path) -> Path:
    """Two minutes of 720p, a hard cut every 8 s, something moving in between."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_S, options={"preset": "superfast"})
        stream.width, stream.height, stream.pix_fmt = *FILM, "yuv420p"
        for number in range(FILM_S * FRAMES_PER_S):
            scene, step = divmod(number, SCENE_S * FRAMES_PER_S)
            picture = Image.new("RGB", FILM, (scene * 53 % 256, scene * 97 % 256, scene * 151 % 256))
            ImageDraw.Draw(picture).rectangle((step * 5, 200, step * 5 + 180, 500), fill=(250, 240, 90))
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def bare_thumbnail(path: Path, target: Path) -> None:
    """What Pillow alone takes: draft mode, reduction, JPEG."""
    with Image.open(path) as photo:
        photo.draft("RGB", pictures.THUMBNAIL_BOX)
        photo.thumbnail(pictures.THUMBNAIL_BOX, Image.Resampling.LANCZOS)
        photo.save(target, "JPEG", quality=85, progressive=True, optimize=True)


def thumbnail(source: Source, target: Path) -> None:
    """The same by the service: validated, oriented, stripped."""
    opened = image.validate(source)
    pictures.save_for_people(pictures.shrunk(image.thumbnail(opened), pictures.THUMBNAIL_BOX), target)


def bare_frames(path: Path, times: list[float]) -> int:
    """A plain loop: seek to each time, decode up to it, make a picture of analysis size."""
    count = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for second in times:
            container.seek(int(second * av.time_base), backward=True)
            for frame in container.decode(stream):
                if frame.time >= second - 0.005:
                    frame.reformat(width=1024, height=576, format="rgb24").to_image()
                    count += 1
                    break
    return count


def bare_loop(path: Path, times: list[float]) -> int:
    """A plain loop without seeking: every frame decoded, those wanted made into pictures."""
    wanted, count = iter(times), 0
    due = next(wanted)
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0]):
            if frame.time >= due - 0.005:
                frame.reformat(width=1024, height=576, format="rgb24").to_image()
                due, count = next(wanted, float("inf")), count + 1
    return count


def median_ms(work: Callable[[], object], times: int) -> float:
    """Median milliseconds of so many calls, after one to warm up."""
    work()
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1e3)
    return statistics.median(taken)


def report(name: str, ours: float, bare: float) -> None:
    """One line: both medians and their ratio."""
    print(f"{name}: {ours:.1f} ms, bare {bare:.1f} ms, ratio {ours / bare:.2f} (goal <= {GOAL})")


def measure_thumbnails(directory: Path) -> None:
    """A 12 MP JPEG to a 300 px thumbnail."""
    photo, target = make_photo(directory / "photo.jpg"), directory / "thumbnail.jpg"
    source = Source(photo, photo.name, formats.JPEG, DecodeLimits())
    print(f"photo: {PHOTO[0]} x {PHOTO[1]}, {photo.stat().st_size / 1e6:.1f} MB")
    ours, bare = median_ms(lambda: thumbnail(source, target), 15), median_ms(lambda: bare_thumbnail(photo, target), 15)
    report("thumbnail", ours, bare)


def measure_frames(directory: Path) -> None:
    """The frames for analysis of two minutes at 720p: taking them at known times, and with the choice of the times."""
    film = make_film(directory / "film.mp4")
    source = Source(film, film.name, formats.MP4, DecodeLimits())
    opened = video.validate(source)
    times = [shot.locator.start_s or 0.0 for shot in video.prepare(opened).shots]
    print(f"film: {FILM_S} s, {FILM[0]} x {FILM[1]}, {film.stat().st_size / 1e6:.1f} MB, {len(times)} frames")
    assert bare_frames(film, times) == len(times)
    ours = median_ms(lambda: sum(1 for _ in video.frames_at(source, times, opened.damage)), 7)
    report("frames at given times", ours, median_ms(lambda: bare_frames(film, times), 7))
    whole = median_ms(lambda: sum(1 for _ in video.prepare(opened).shots), 5)
    report("frames, times chosen too", whole, median_ms(lambda: bare_loop(film, times), 5))


def measure_pages(directory: Path) -> None:
    """A PDF of 200 pages of text read as a whole, with small pictures of its pages and without."""
    path = directory / "pages.pdf"
    write_pdf(path, [(f"Part {n}", [f"Line {line} of page {n}." for line in range(40)]) for n in range(PAGES)], "", "")

    def read(pictures_of: int) -> float:
        limits = DecodeLimits(max_page_pictures=pictures_of)
        return median_ms(lambda: report_on(Job(source=path, output=directory, filename=path.name, limits=limits)), 5)

    without, with_pictures = read(0), read(PAGES)
    print(f"pdf of {PAGES} pages: {without:.0f} ms, {with_pictures:.0f} ms with a small picture of each page")


def measure_whole(directory: Path) -> None:
    """All that is made of one file, for scale."""
    for name in ("photo.jpg", "film.mp4"):
        output = directory / f"out-{name}"
        output.mkdir()
        taken = median_ms(lambda: report_on(Job(source=directory / name, output=output, filename=name)), 3)  # noqa: B023
        print(f"everything of {name}: {taken:.0f} ms")


def main() -> None:
    """Makes the files, then measures."""
    with tempfile.TemporaryDirectory() as name:
        measure_thumbnails(Path(name))
        measure_frames(Path(name))
        measure_pages(Path(name))
        measure_whole(Path(name))


if __name__ == "__main__":
    main()
