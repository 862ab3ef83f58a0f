"""The table of supported ops, read off the code."""

from edgesr.lowering.support import support


def test_tells_precisions() -> None:
    table = support()
    assert table["Conv2d"] == ("f32", "int8")
    assert table["ResizeNearest"] == ("f32", "int8")
    assert table["PRelu"] == ("f32",)
    assert table["Mean"] == table["Std"] == ("f32",)
    assert table["Tanh"] == table["Slice"] == ("f32", "int8")
    assert list(table) == sorted(table)
    assert not {"Input", "DepthToSpace", "SquaredDifference", "Sqrt", "QConv2d", "Quantize"} & set(table)
    assert all(precisions for precisions in table.values())
