"""Pictures become concepts by a model read from a directory; what is missing there, or cannot be seen, is named."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from analyzer.backends.local.backend import LocalBackend
from analyzer.backends.local.exported_model import ModelInvalid
from analyzer.backends.local.ocr import OcrProcess
from analyzer.backends.local.vision.clip import ClipModel, known_concepts
from analyzer.backends.local.vision.viewing import PictureUnviewable, Viewer
from contracts.artifacts import ArtifactRef, Kind, Locator, Material, MaterialPicture, MediaProperties, TextSource
from tests.unit.analyzer.tiny_clip import CONCEPTS, write_tiny_clip


def png(colour: tuple[int, int, int], size: tuple[int, int] = (40, 30), mode: str = "RGB") -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).convert(mode).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ClipModel:
    return ClipModel(write_tiny_clip(tmp_path_factory.mktemp("vision")), concepts=CONCEPTS)


@pytest.mark.parametrize(
    ("colour", "shown"),
    [((255, 0, 0), ("red",)), ((0, 255, 0), ("green",)), ((0, 0, 255), ("blue",)), ((255, 255, 0), ("red", "green"))],
)
def test_a_picture_shows_what_is_surely_there(
    model: ClipModel, colour: tuple[int, int, int], shown: tuple[str, ...]
) -> None:
    assert set(model.view(png(colour))) == set(shown)


def test_of_many_concepts_that_fit_alike_none_is_sure(tmp_path: Path) -> None:
    many = [f"thing {i}" for i in range(50)]
    assert ClipModel(write_tiny_clip(tmp_path), concepts=many).view(png((255, 0, 0))) == ()


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("P", {"red"}), ("RGBA", {"red"}), ("L", {*CONCEPTS}), ("LA", {*CONCEPTS}), ("1", {*CONCEPTS})],
)
def test_every_mode_of_picture_is_viewed(model: ClipModel, mode: str, shown: set[str]) -> None:
    """A grey one is as near to each of the three colours."""
    assert set(model.view(png((255, 0, 0), mode=mode))) == shown


def test_an_export_that_wants_a_mask_gets_one(tmp_path: Path) -> None:
    masked = ClipModel(write_tiny_clip(tmp_path, masked=True), concepts=CONCEPTS)
    assert masked.view(png((0, 0, 255))) == ("blue",)


@pytest.mark.parametrize("bad", [b"", b"not a picture", png((1, 2, 3))[:60]])
def test_bytes_that_are_no_picture_are_named(model: ClipModel, bad: bytes) -> None:
    with pytest.raises(PictureUnviewable):
        model.view(bad)


def test_a_picture_of_too_many_pixels_is_not_decoded(model: ClipModel) -> None:
    out = BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(PictureUnviewable, match="9000 by 9000"):
        model.view(out.getvalue())


def test_the_concepts_are_many_and_each_is_there_once() -> None:
    concepts = known_concepts()
    assert len(concepts) > 150
    assert len(set(concepts)) == len(concepts)
    assert all(concept == concept.strip() != "" for concept in concepts)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no picture side": (lambda d: (d / "vision_model.onnx").unlink(), r"vision_model\.onnx is not in"),
    "no text side": (lambda d: (d / "text_model.onnx").unlink(), r"text_model\.onnx is not in"),
    "half a model": (lambda d: (d / "vision_model.onnx").write_bytes(b"half"), "cannot be loaded"),
    "no tokenizer": (lambda d: (d / "tokenizer.json").unlink(), r"tokenizer\.json"),
    "broken preparation": (lambda d: (d / "preprocessor_config.json").write_text("[]"), "cannot be read"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_missing_is_named(tmp_path: Path, name: str) -> None:
    damage, expected = DAMAGES[name]
    damage(write_tiny_clip(tmp_path))
    with pytest.raises(ModelInvalid, match=expected):
        ClipModel(tmp_path, concepts=CONCEPTS)


async def test_frames_become_moments_and_what_is_frequent_becomes_labels(model: ClipModel) -> None:
    frames = [(255, 0, 0), (255, 0, 0), (0, 0, 255)]

    async def read(wanted: ArtifactRef) -> bytes:
        return png(frames[int(wanted.key)])

    pictures = tuple(
        MaterialPicture(
            image=ArtifactRef(bucket="b", key=str(i), sha256="0" * 64, media_type="image/png", size_bytes=1),
            locator=Locator(start_s=i * 10, end_s=i * 10 + 10),
            width=40,
            height=30,
        )
        for i in range(3)
    )
    material = Material(kind=Kind.VIDEO, filename="x.mp4", properties=MediaProperties(), pictures=pictures)
    async with OcrProcess(worker="tests.unit.analyzer.stub_ocr_worker") as ocr:
        backend = LocalBackend(ocr, viewer=Viewer(model))
        analysis = await backend.analyze(material, read)
        assert backend.model_id == f"local-ppocrv6-{model.name}"
    shown = [(s.text, s.locator.start_s, s.locator.end_s) for s in analysis.segments if s.source is TextSource.SUMMARY]
    assert shown == [("Shows red.", 0, 20), ("Shows blue.", 20, 30)]
    assert analysis.labels[:3] == ("video", "red", "blue")
    assert "It shows red, blue." in analysis.summary
