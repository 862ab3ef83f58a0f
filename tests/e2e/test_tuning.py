"""`--tune`: better 4-bit programs, told as tuned, resumed after an interruption."""

from pathlib import Path

import pytest

from edgesr.conversion import Options, convert
from edgesr.quantization.tuning.learning import Settings, _Tuning
from edgesr.steps import work

SHORT = Settings(least_steps=30, save_every=0.0)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "Settings", lambda: SHORT)
    monkeypatch.setattr(Options, "effort", 1e-9)


def options(photos: Path, output: Path) -> Options:
    return Options("plain", output, calib=photos, tile=32, max_drop=9.0, bits="w4a8", method="minmax")


def test_a_tuned_program_is_nearer_to_float(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned = convert(options(photos, tmp_path / "tuned.tflite"))
    monkeypatch.setattr(Options, "effort", 0.0)
    plain = convert(options(photos, tmp_path / "plain.tflite"))
    assert tuned.evidence.verdict.drop < plain.evidence.verdict.drop
    assert tuned.evidence.comparison.mismatches == 0
    assert tuned.info.calibration.method == "minmax, tuned" and plain.info.calibration.method == "minmax"
    assert tuned.seconds["tune"] > 0 == plain.seconds["tune"] // 1


def test_an_interrupted_tuning_goes_on(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGESR_CACHE", str(tmp_path / "cache"))
    convert(options(photos, tmp_path / "whole.tflite"))
    step, taken = _Tuning.step, []

    def counted(self: _Tuning) -> None:
        if len(taken) == 20:
            taken.append(-1)
            raise KeyboardInterrupt
        taken.append(self.done)
        step(self)

    monkeypatch.setattr(_Tuning, "step", counted)
    with pytest.raises(KeyboardInterrupt):
        convert(options(photos, tmp_path / "resumed.tflite"))
    convert(options(photos, tmp_path / "resumed.tflite"))
    assert taken[21] == 20 and len(taken) == 31  # none is taken twice
    assert (tmp_path / "resumed.tflite").read_bytes() == (tmp_path / "whole.tflite").read_bytes()
