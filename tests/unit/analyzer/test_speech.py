"""Sound becomes words by a model read from a directory; what is missing there, or cannot be heard, is named."""

import asyncio
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from analyzer.backends.local.backend import LocalBackend
from analyzer.backends.local.exported_model import ModelInvalid
from analyzer.backends.local.ocr import OcrProcess
from analyzer.backends.local.speech.listening import Listener, SoundUnreadable
from analyzer.backends.local.speech.mel import log_mel
from analyzer.backends.local.speech.sound import decoded
from analyzer.backends.local.speech.whisper import WhisperModel
from contracts.artifacts import ArtifactRef, Kind, Locator, Material, MaterialSound, MediaProperties, TextSource
from tests.unit.analyzer.tiny_whisper import write_tiny_whisper

RATE = 16_000


def tone(seconds: float, loudness: float) -> np.ndarray:
    return (loudness * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def ogg(samples: np.ndarray) -> bytes:
    out = BytesIO()
    with av.open(out, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000, frame_size=960)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return out.getvalue()


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> WhisperModel:
    return WhisperModel(write_tiny_whisper(tmp_path_factory.mktemp("speech")))


def test_a_tone_lights_its_own_band_for_as_long_as_it_sounds() -> None:
    picture = log_mel(tone(3, 0.5), 80)
    assert picture.shape == (80, 3000)
    brightest = int(picture[:, 150].argmax())
    assert brightest == 11  # 440 Hz is 6.6 mel; 80 triangles share 45.2 mel
    assert picture[brightest, :290].min() > picture[brightest, 310:].max() + 1


def test_silence_and_nothing_are_flat_and_finite() -> None:
    for samples in (np.zeros(RATE, np.float32), np.empty(0, np.float32)):
        picture = log_mel(samples, 80)
        assert np.isfinite(picture).all()
        assert float(np.ptp(picture)) == 0


def test_words_depend_on_the_sound_and_forbidden_ones_are_not_said(whisper: WhisperModel) -> None:
    loud, soft = whisper.transcribe(tone(2, 1.0)), whisper.transcribe(tone(2, 0.001))
    assert (loud.text, loud.language) == ("loud sound", "en")
    assert soft.text == "soft sound"


def test_a_model_that_hears_nobody_says_nothing(tmp_path: Path) -> None:
    heard = WhisperModel(write_tiny_whisper(tmp_path, silent=True)).transcribe(tone(1, 1))
    assert (heard.text, heard.language) == ("", None)


def test_a_model_that_cannot_stop_is_stopped_and_what_it_repeats_is_cut(tmp_path: Path) -> None:
    assert WhisperModel(write_tiny_whisper(tmp_path, looping=True)).transcribe(tone(1, 1)).text == "loud sound"


def test_other_weights_are_another_model(whisper: WhisperModel, tmp_path: Path) -> None:
    assert WhisperModel(write_tiny_whisper(tmp_path / "same")).name == whisper.name
    assert WhisperModel(write_tiny_whisper(tmp_path / "other", looping=True)).name != whisper.name


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no encoder": (lambda d: (d / "onnx/encoder_model.onnx").unlink(), "encoder_model.onnx is not in"),
    "no decoder": (lambda d: (d / "onnx/decoder_model.onnx").unlink(), "decoder_model.onnx is not in"),
    "half a decoder": (lambda d: (d / "onnx/decoder_model.onnx").write_bytes(b"half"), "cannot be loaded"),
    "no tokenizer": (lambda d: (d / "tokenizer.json").unlink(), "tokenizer.json"),
    "another tokenizer": (
        lambda d: (d / "tokenizer.json").write_text((d / "tokenizer.json").read_text().replace("startoftr", "x")),
        "does not know",
    ),
    "broken settings": (lambda d: (d / "generation_config.json").write_text("{"), "is not JSON"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_missing_is_named(tmp_path: Path, name: str) -> None:
    damage, expected = DAMAGES[name]
    damage(write_tiny_whisper(tmp_path / "m"))
    with pytest.raises(ModelInvalid, match=expected):
        WhisperModel(tmp_path / "m")


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match=r"encoder_model\.onnx is not in"):
        WhisperModel(tmp_path / "nowhere")


def test_sound_is_decoded_to_its_length_and_loudness_and_other_bytes_are_refused() -> None:
    samples = decoded(ogg(tone(2, 0.5)))
    assert abs(len(samples) - 2 * RATE) < RATE / 10
    assert 0.4 < float(np.abs(samples).max()) < 0.7
    for bad in (b"", b"not sound", ogg(tone(1, 0.5))[:40]):
        with pytest.raises(SoundUnreadable):
            decoded(bad)


def chunk(key: str, start_s: float, *stretches: tuple[float, float]) -> MaterialSound:
    ref = ArtifactRef(bucket="artifacts", key=key, sha256="0" * 64, media_type="audio/ogg", size_bytes=1)
    places = tuple(Locator(start_s=start, end_s=end) for start, end in stretches)
    return MaterialSound(audio=ref, locator=Locator(start_s=start_s, end_s=start_s + 600), stretches=places)


async def test_each_stretch_is_a_moment_of_the_file(whisper: WhisperModel) -> None:
    sounds = {"a": ogg(np.concatenate([tone(2, 1.0), tone(2, 0.001)])), "b": ogg(tone(1, 1.0)), "broken": b"?"}

    async def read(wanted: ArtifactRef) -> bytes:
        return sounds[wanted.key]

    material = Material(
        kind=Kind.AUDIO,
        filename="talk.mp3",
        properties=MediaProperties(),
        speech=(chunk("a", 0, (0, 1.9), (2.2, 4)), chunk("broken", 600, (600, 601)), chunk("b", 1200, (1200, 1201))),
    )
    async with OcrProcess(worker="tests.unit.analyzer.stub_ocr_worker") as ocr:
        backend = LocalBackend(ocr, Listener(whisper, decoded))
        analysis = await backend.analyze(material, read)
        assert backend.model_id == f"local-ppocrv6-{whisper.name}"
    spoken = [s for s in analysis.segments if s.source is TextSource.SPEECH]
    assert [(s.text, s.locator.start_s) for s in spoken] == [
        ("loud sound", 0),
        ("soft sound", 2.2),
        ("loud sound", 1200),
    ]
    assert [d.step for d in analysis.degradations] == ["speech"]
    assert analysis.language == "en"


async def test_when_time_runs_out_the_rest_is_named(whisper: WhisperModel) -> None:
    encoded = ogg(tone(1, 1.0))

    async def read(_: ArtifactRef) -> bytes:
        await asyncio.sleep(0.05)
        return encoded

    listened = await Listener(whisper, decoded, budget_s=0.01).listen(
        [chunk("a", 0, (0, 1)), chunk("b", 600, (600, 601))], read
    )
    assert listened.segments == []
    assert [d.reason for d in listened.degradations] == ["speech after 0 s was not heard: time ran out"]
