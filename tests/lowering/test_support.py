"""The table of supported ops, read off the code."""

from edgesr.lowering.support import support


def test_tells_precisions() -> None:
    table = {kind: targets["tflite"] for kind, targets in support().items()}
    assert table["Conv2d"] == ("f32", "int8")
    assert table["ResizeNearest"] == ("f32", "int8")
    assert table["PRelu"] == ("f32",)
    assert table["Mean"] == table["Std"] == ("f32",)
    assert table["Tanh"] == table["Slice"] == ("f32", "int8")
    assert list(table) == sorted(table)
    assert not {"Input", "DepthToSpace", "SquaredDifference", "Sqrt", "QConv2d", "Quantize"} & set(table)
    assert all(precisions for precisions in table.values())


def test_both_targets_have_their_own_column() -> None:
    for kind, targets in support().items():
        assert set(targets) == {"tflite", "executorch"}, kind
    assert support()["PRelu"]["executorch"] == ("f32",)
    assert support()["Conv2d"]["executorch"] == ("f32", "int8")
