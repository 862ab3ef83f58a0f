"""OpenVINO, quantized after training by NNCF."""

from pathlib import Path
from typing import Any

from .peer import PROGRAM, Floats, Peer, Run, Subject

TOOL = "OpenVINO"
PACKAGES = ("openvino", "nncf", "torch")
ONE_THREAD = {
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "PERFORMANCE_HINT": "LATENCY",
    # Otherwise it rounds to bfloat16 where the processor can.
    "INFERENCE_PRECISION_HINT": "f32",
}


def make_float(subject: Subject, folder: Path) -> None:
    _save(_converted(subject), folder)


def make_int8(subject: Subject, folder: Path) -> None:
    _save(_quantized(subject), folder)


def make_careful(subject: Subject, folder: Path) -> None:
    """What NNCF's documentation names for networks that lose too much, and ranges from extremes.

    By default it takes the mean of the tiles' extremes, which cuts white off.
    """
    import nncf
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    ranges = nncf.AdvancedQuantizationParameters(
        activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
    )
    careful = {"preset": nncf.QuantizationPreset.MIXED, "fast_bias_correction": False}
    _save(_quantized(subject, **careful, advanced_parameters=ranges), folder)


def _quantized(subject: Subject, **flags: Any) -> Any:
    import nncf

    tiles = [tile[None] for tile in subject.pixels]
    return nncf.quantize(_converted(subject), nncf.Dataset(tiles), subset_size=len(tiles), **flags)


def _converted(subject: Subject) -> Any:
    import openvino

    return openvino.convert_model(
        subject.module, example_input=subject.example, input=[tuple(subject.example.shape)]
    )


def _save(model: Any, folder: Path) -> None:
    import openvino

    openvino.save_model(model, folder / f"{PROGRAM}.xml", compress_to_fp16=False)


def load(folder: Path) -> Run:
    import openvino

    compiled = openvino.Core().compile_model(folder / f"{PROGRAM}.xml", "CPU", ONE_THREAD)
    request, result = compiled.create_infer_request(), compiled.output(0)

    def run(tile: Floats) -> Floats:
        answer: Floats = request.infer([tile], share_inputs=True, share_outputs=True)[result]
        return answer

    return run


PEERS = (
    Peer(TOOL, "float32", make_float, load, PACKAGES),
    Peer(TOOL, "int8", make_int8, load, PACKAGES),
    Peer(TOOL, "int8, careful", make_careful, load, PACKAGES),
)
