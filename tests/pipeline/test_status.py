"""``mmsearch status`` of a whole system: what the services do without is said, to people and to programs."""

import subprocess
import sys

from tests.pipeline.local_system import LocalSystem


def test_absent_optional_models_are_named(system: LocalSystem) -> None:
    state = system.state()
    assert state["healthy"], state["notices"]
    notices = state["notices"]
    assert "analyzer: no speech model: recordings are not transcribed (SPEECH_MODEL_DIR)" in notices
    assert "analyzer: no vision model: pictures are not described (VISION_MODEL_DIR)" in notices

    command = [sys.executable, "-P", "-m", "mmsearch.cli", "status", "--data-dir", str(system.data_dir)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "analyzer: no speech model: recordings are not transcribed (SPEECH_MODEL_DIR)" in said
