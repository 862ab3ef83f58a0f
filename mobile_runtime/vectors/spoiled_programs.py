"""What is wrong with a program, or only unusual, row by row of the table in docs/runtime.md.

Each row sets places of the FlatBuffers objects of a file (or constants of its writer) and says how the
refusal sounds; an empty text: the file is taken.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgesr.lowering.executorch.flatbuffer import Table, byte, i32, i32s, u32, u64

Row = tuple[Mapping[str, Any], str]

# Tensors of the first subgraph, its operators, and where lists begin.
_GRAPH = "subgraphs[0]"
_IMAGE, _SR, _W, _B, _UP, _IMAGE_Q, _SR_Q = (f"{_GRAPH}.tensors[{index}]" for index in range(7))
_QUANTIZE, _CONV, _SHUFFLE, _DEQUANTIZE = (f"{_GRAPH}.operators[{index}]" for index in range(4))
_SIGNATURE = "signatureDefs[0]"


def _ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def _floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def _filled(kind: Any, **fields: Any) -> Any:
    item = kind()
    for name, value in fields.items():
        setattr(item, name, value)
    return item


def _quantized(tensor: str, scales: np.ndarray, zeros: np.ndarray, axis: int = 0) -> dict[str, Any]:
    q = f"{tensor}.quantization"
    return {f"{q}.scale": scales, f"{q}.zeroPoint": zeros, f"{q}.quantizedDimension": axis}


def _named(name: str, index: int) -> Any:
    return _filled(schema.TensorMapT, name=name, tensorIndex=index)


_DETAILS = schema.QuantizationDetails
_SPARSITY = _filled(schema.SparsityParametersT, traversalOrder=[0, 1])

ROWS: Mapping[str, Row] = {
    # file and buffers
    "version 2": ({"version": 2}, "schema version is 2"),
    "external buffer groups": ({"externalBufferGroups": [schema.ExternalBufferGroupT()]}, "more than 0"),
    "external buffers": ({"externalBuffers": [schema.ExternalBufferT()]}, "more than 0"),
    "data behind the file": ({"buffers[1].offset": 10**12}, "behind the end"),
    "size behind the file": ({"buffers[1].size": 1}, "behind the end"),
    "data in buffer 0": ({"buffers[0].data": np.zeros(4, np.uint8)}, "buffer 0"),
    "no buffers": ({"buffers": []}, "buffer 0"),
    "no subgraphs": ({"subgraphs": []}, "has no subgraph"),
    # shape
    "rank 8": ({f"{_SR_Q}.shape": [1] * 8}, ""),
    "rank 9": ({f"{_SR_Q}.shape": [1] * 9}, "has shape"),
    "rank 0": ({f"{_SR_Q}.shape": []}, ""),
    "negative length": ({f"{_UP}.shape": [1, -8, 8, 12]}, "has shape"),
    "length 0": ({f"{_UP}.shape": [1, 0, 2**31 - 1, 2**31 - 1, 2**31 - 1]}, ""),
    "length 0 behind": ({f"{_UP}.shape": [2**31 - 1, 2**31 - 1, 2**31 - 1, 0]}, ""),
    "2 GiB": ({f"{_UP}.shape": [1, 2**15, 2**15, 2]}, ""),
    "2 GiB and more": ({f"{_UP}.shape": [2**31 - 1, 2]}, "too large"),
    "product of 2^64": ({f"{_UP}.shape": [2**16] * 4}, "too large"),
    "product of 2^248": ({f"{_UP}.shape": [2**31 - 1] * 8}, "too large"),
    "2^34 bits of int2": (
        {f"{_UP}.shape": [2**17, 2**16], f"{_UP}.type": 19, f"{_UP}.quantization": None},
        "",
    ),
    "more bits of int2": (
        {f"{_UP}.shape": [2**17, 2**16, 2], f"{_UP}.type": 19, f"{_UP}.quantization": None},
        "too large",
    ),
    "any size": ({f"{_UP}.shapeSignature": [1, -1, -1, 12]}, ""),
    "the same size": ({f"{_UP}.shapeSignature": [1, 8, 8, 12]}, ""),
    "another size": ({f"{_UP}.shapeSignature": [1, 8, 7, 12]}, "has the signature"),
    "size -2": ({f"{_UP}.shapeSignature": [1, -2, 8, 12]}, "has the signature"),
    "another rank": ({f"{_UP}.shapeSignature": [1, -1]}, "has the signature"),
    # types
    **{
        f"type {code}": (
            {f"{_UP}.type": code, f"{_UP}.quantization": None},
            "" if code in (0, 1, 2, 3, 4, 6, 7, 9, 16, 17, 19, 20) else f"has type {code}",
        )
        for code in (*range(-1, 22), 77)
    },
    # constants
    "data short of the shape": ({f"{_W}.shape": [12, 3, 3, 3]}, "has 36 bytes of data"),
    "data beyond the shape": ({f"{_W}.shape": [12]}, "has 36 bytes of data"),
    "data of 4 bits": ({f"{_W}.shape": [72], f"{_W}.type": 17}, ""),
    "data of 4 bits, odd": ({f"{_W}.shape": [71], f"{_W}.type": 17}, ""),
    "data of 4 bits, short": ({f"{_W}.shape": [73], f"{_W}.type": 17}, "has 36 bytes of data"),
    "buffer beyond the list": ({f"{_W}.buffer": 99}, "names buffer 99"),
    "buffer far beyond": ({f"{_W}.buffer": 2**32 - 1}, "names buffer"),
    "constant without data": ({f"{_W}.buffer": 0}, "before it is computed"),
    "variable constant": ({f"{_W}.isVariable": True}, "bytes of data"),
    "variable without data": ({f"{_W}.isVariable": True, f"{_W}.buffer": 0}, ""),
    # kinds of tensors
    "sparse": ({f"{_W}.sparsity": _SPARSITY}, "sparse"),
    "a variant tensor": ({f"{_W}.variantTensors": [schema.VariantSubTypeT()]}, "more than 0"),
    "kept in another file": ({f"{_W}.externalBuffer": 1}, "another file"),
    # quantization
    "zero point 127": (_quantized(_UP, _floats(1), _ints(127)), ""),
    "zero point 128": (_quantized(_UP, _floats(1), _ints(128)), "zero point outside -128..127"),
    "zero point -129": (_quantized(_UP, _floats(1), _ints(-129)), "zero point outside -128..127"),
    "zero point -2^60": (_quantized(_UP, _floats(1), _ints(-(2**60))), "zero point outside -128..127"),
    "zero point 2^32": (_quantized(_UP, _floats(1), _ints(2**32)), "zero point outside -128..127"),
    "zero point of a bias": (_quantized(_B, _floats(1), _ints(1)), "zero point outside 0..0"),
    "zero point of a float": (
        {f"{_UP}.type": 0, **_quantized(_UP, _floats(1), _ints(1))},
        "zero point outside 0..0 of float32",
    ),
    "zero point of uint8": ({f"{_UP}.type": 3, **_quantized(_UP, _floats(1), _ints(255))}, ""),
    "zero point of uint8, below": ({f"{_UP}.type": 3}, "zero point outside 0..255 of uint8"),
    "zero point of int4": ({f"{_UP}.type": 17, **_quantized(_UP, _floats(1), _ints(8))}, "outside -8..7"),
    "scale 0": (_quantized(_W, _floats(0), _ints(0)), "not finite and above 0"),
    "scale below 0": (_quantized(_W, _floats(-1), _ints(0)), "not finite and above 0"),
    "scale nan": (_quantized(_UP, _floats(np.nan), _ints(0)), "not finite and above 0"),
    "scale infinite": (_quantized(_UP, _floats(np.inf), _ints(0)), "not finite and above 0"),
    "smallest scale": (_quantized(_UP, _floats(1e-45), _ints(0)), ""),
    "2 scales, 1 zero point": (_quantized(_W, np.ones(2, np.float32), _ints(0)), "2 scales and 1 zero"),
    "no scale, 1 zero point": (_quantized(_W, _floats(), _ints(0)), "0 scales and 1 zero"),
    "no scale": (_quantized(_W, _floats(), _ints()), ""),
    "12 scales": (_quantized(_W, np.ones(12, np.float32), np.zeros(12, np.int64)), ""),
    "3 scales on axis 3": (_quantized(_W, np.ones(3, np.float32), np.zeros(3, np.int64), 3), ""),
    "3 scales on axis 0": (
        _quantized(_W, np.ones(3, np.float32), np.zeros(3, np.int64)),
        "3 scales on axis 0",
    ),
    "axis 4": (_quantized(_W, np.ones(12, np.float32), np.zeros(12, np.int64), 4), "12 scales on axis 4"),
    "axis -1": (_quantized(_W, np.ones(3, np.float32), np.zeros(3, np.int64), -1), "3 scales on axis -1"),
    "axis 9 of 1 scale": (_quantized(_W, _floats(1), _ints(0), 9), ""),
    "custom details": (
        {
            f"{_W}.quantization.detailsType": _DETAILS.CustomQuantization,
            f"{_W}.quantization.details": schema.CustomQuantizationT(),
        },
        "by custom rules",
    ),
    "blocks": (
        {
            f"{_W}.quantization.detailsType": _DETAILS.BlockwiseQuantization,
            f"{_W}.quantization.details": schema.BlockwiseQuantizationT(),
        },
        "by custom rules",
    ),
    "no quantization": ({f"{_UP}.quantization": None}, ""),
    # operators
    "custom operator": ({"operatorCodes[0].customCode": "evil"}, "custom operator 'evil'"),
    "code beyond the list": ({f"{_QUANTIZE}.opcodeIndex": 4}, "no operator code"),
    "no operators": ({f"{_GRAPH}.operators": []}, "never computed"),
    "input beyond the tensors": ({f"{_CONV}.inputs": [5, 2, 7]}, "names tensor 7"),
    "input left out": ({f"{_CONV}.inputs": [5, 2, -1]}, ""),
    "input -2": ({f"{_CONV}.inputs": [5, 2, -2]}, "names tensor -2"),
    "output left out": ({f"{_CONV}.outputs": [-1]}, "names tensor -1"),
    "output beyond the tensors": ({f"{_CONV}.outputs": [7]}, "names tensor 7"),
    "output a constant": ({f"{_CONV}.outputs": [2]}, "or a constant"),
    "output the input": ({f"{_CONV}.outputs": [0]}, "computed twice"),
    "output written twice": ({f"{_SHUFFLE}.outputs": [4]}, "computed twice"),
    "output twice in one": ({f"{_CONV}.outputs": [4, 4]}, "computed twice"),
    "output into a variable": ({f"{_UP}.isVariable": True}, ""),
    "reading what comes later": ({f"{_QUANTIZE}.inputs": [6]}, "before it is computed"),
    "reading itself": ({f"{_CONV}.inputs": [4, 2, 3]}, "before it is computed"),
    "intermediate": ({f"{_CONV}.intermediates": [-1, 4]}, ""),
    "intermediate beyond": ({f"{_CONV}.intermediates": [7]}, "names tensor 7"),
    "no options": ({f"{_CONV}.builtinOptions": None, f"{_CONV}.builtinOptionsType": 0}, ""),
    # subgraphs
    "output never computed": ({f"{_DEQUANTIZE}.outputs": []}, "never computed"),
    "graph input beyond": ({f"{_GRAPH}.inputs": [7]}, "names tensor 7"),
    "graph input -1": ({f"{_GRAPH}.inputs": [-1]}, "names tensor -1"),
    "graph input a constant": ({f"{_GRAPH}.inputs": [2]}, "input and a constant"),
    "graph input twice": ({f"{_GRAPH}.inputs": [0, 0]}, ""),
    "graph output beyond": ({f"{_GRAPH}.outputs": [7]}, "names tensor 7"),
    "no tensors": ({f"{_GRAPH}.tensors": []}, "names tensor 0 of 0"),
    # metadata and signatures
    "no entry": ({"metadata": []}, "is not an edgesr program"),
    "other entry": ({"metadata[0].name": "Edgesr"}, "is not an edgesr program"),
    "entry without buffer": ({"metadata[0].buffer": 99}, "has no buffer"),
    "entry of no bytes": ({"metadata[0].buffer": 0}, "is not JSON"),
    "entry of a tensor's bytes": ({"metadata[0].buffer": 1}, "is not JSON"),
    "two entries": ({"metadata": [_filled(schema.MetadataT, name="edgesr")] * 2}, "is double"),
    "no signatures": ({"signatureDefs": []}, "are not its variants"),
    "signature of another name": ({f"{_SIGNATURE}.signatureKey": "lower"}, "are not its variants"),
    "signature not UTF-8": ({f"{_SIGNATURE}.signatureKey": b"\xff\xfe"}, "is not UTF-8"),
    "signature twice": ({f"{_SIGNATURE}.signatureKey": "high"}, "is double"),
    "signature without subgraph": ({f"{_SIGNATURE}.subgraphIndex": 2}, "has no subgraph"),
    "both of one subgraph": ({f"{_SIGNATURE}.subgraphIndex": 1}, ""),
    "signature of another tensor": ({f"{_SIGNATURE}.inputs[0].tensorIndex": 3}, "not those of its"),
    "signature of a huge index": ({f"{_SIGNATURE}.inputs[0].tensorIndex": 2**32 - 1}, "not those of its"),
    "signature without outputs": ({f"{_SIGNATURE}.outputs": []}, "not those of its"),
    "input of another name": ({f"{_SIGNATURE}.inputs[0].name": "picture"}, "does not fit its metadata"),
    "input under two names": (
        {f"{_SIGNATURE}.inputs": [_named("image", 0), _named("x", 0)]},
        "does not fit its metadata",
    ),
    "one name twice": ({f"{_SIGNATURE}.inputs": [_named("image", 3), _named("image", 0)]}, ""),
    # agreement
    "input of another size": ({f"{_IMAGE}.shape": [1, 8, 9, 3]}, "does not fit its metadata"),
    "input of another rank": ({f"{_IMAGE}.shape": [8, 8, 3]}, "does not fit its metadata"),
    "input of another type": ({f"{_IMAGE}.type": 3}, "does not fit its metadata"),
    "output of another size": ({f"{_SR}.shape": [1, 8, 16, 3]}, "does not fit its metadata"),
    "output of 4 channels": ({f"{_SR}.shape": [1, 16, 16, 4]}, "does not fit its metadata"),
}

PTE_ROWS: Mapping[str, Row] = {
    "another backend": ({"BACKEND": "QnnBackend"}, "outside XNNPACK"),
    "a string instead of a tensor": ({"_TENSOR": 6}, "something else than float32"),
    "a tensor instead of a string": ({"_STRING": 5}, "neither one delegate nor a string"),
    "integers": ({"_FLOAT32": 1}, "something else than float32"),
    "a jump": ({"_DELEGATE_CALL": 3}, "not the call of a delegate"),
    "delegate inside": ({"_IN_SEGMENT": 0}, "not in a segment"),
    "segments without header": ({"_with_header": lambda program, _: program.ljust(64, b"\0")}, "no header"),
    "constants in memory 0": ({"_ARENA": 0}, ""),
}


_CALL = Table({0: byte(2), 1: Table({0: i32(0), 1: i32s([0, 1])})})
_METHODS, _SEGMENTS, _CONSTANTS = 1, 4, 7  # slots of the program
_DELEGATE, _TENSOR = (_METHODS, 0, 7, 0), (_METHODS, 0, 2, 0, 1)  # of the first method, its first tensor
_ANSWER = (_METHODS, 2)  # the method that returns the metadata

PTE_FIELDS: Mapping[str, tuple[tuple[int, ...], Any, str]] = {
    "version 1": ((0,), u32(1), "schema version is 1"),
    "operators": ((_METHODS, 0, 6), [Table({})], "more than 0"),
    "constants inside": ((2,), [Table({})], "is not a sound .pte file"),
    "delegates inside": ((3,), [Table({})], "is not a sound .pte file"),
    "constants in other places": ((6,), [Table({})], "is not a sound .pte file"),
    "segment far behind": ((_SEGMENTS, 0, 0), u64(2**64 - 16), "a segment ends outside"),
    "segment behind": ((_SEGMENTS, 0, 0), u64(10**4), "a segment ends outside"),
    "segment that starts too late": ((_SEGMENTS, 0, 1), u64(10**4), "a segment ends outside"),
    "segment of 2^64 - 1": ((_SEGMENTS, 1, 1), u64(2**64 - 1), "a segment ends outside"),
    "constant twice": ((_CONSTANTS, 1, 0), "w", "two constants of the name 'w'"),
    "constant of no segment": ((_CONSTANTS, 1, 1), u32(99), "names segment 99"),
    "delegate of no segment": ((*_DELEGATE, 1, 1), u32(99), "names segment 99"),
    "delegate's settings": ((*_DELEGATE, 2), [Table({})], "more than 0"),
    "delegate without a program": ((*_DELEGATE, 1), Table({}), "not in a segment"),
    "two delegates": ((_METHODS, 0, 7, 1), Table({}), "more than 1"),
    "two inputs": ((_METHODS, 0, 3), i32s([0, 0]), "more than one delegate"),
    "output and input one": ((_METHODS, 0, 4), i32s([0]), "more than one delegate"),
    "no instructions": ((_METHODS, 0, 5, 0, 2), [], "more than one delegate"),
    "two instructions": ((_METHODS, 0, 5, 0, 2), [_CALL, _CALL], "more than 1"),
    "arguments in another order": ((_METHODS, 0, 5, 0, 2, 0, 1, 1), i32s([1, 0]), "more than one delegate"),
    "call of another delegate": ((_METHODS, 0, 5, 0, 2, 0, 1, 0), i32(1), "more than one delegate"),
    "constant picture": ((*_TENSOR, 5), u32(1), "is a constant or of no known size"),
    "picture of any size": ((*_TENSOR, 8), byte(2), "is a constant or of no known size"),
    "picture of two kinds of size": ((*_TENSOR, 8), byte(1), "one has a fixed size and the other has not"),
    "axes in another order": ((*_TENSOR, 3), np.array([0, 2, 3, 1], np.uint8), "than an NCHW picture"),
    "three axes": ((*_TENSOR, 2), i32s([3, 8, 8]), "than an NCHW picture"),
    "side below 0": ((*_TENSOR, 2), i32s([1, 3, -8, 8]), "impossible shape"),
    "answer with an instruction": ((*_ANSWER, 5, 0, 2), [_CALL], "neither one delegate nor a string"),
    "answer of two values": ((*_ANSWER, 4), i32s([0, 0]), "neither one delegate nor a string"),
    "answer of an input": ((*_ANSWER, 3), i32s([0]), "neither one delegate nor a string"),
    "answer of nothing": ((*_ANSWER, 2), [], "neither one delegate nor a string"),
    "answer without instructions": ((*_ANSWER, 5), [], ""),
}
"""Places of the file's tables (slots, and positions in lists), what is put there, what the refusal says."""


def put(table: Table, path: tuple[int, ...], value: Any) -> None:
    """Set the place of a .pte file's tables that `path` leads to; just behind a list's end appends to it."""
    node: Any = table
    for step in path[:-1]:
        node = node.fields[step] if isinstance(node, Table) else node[step]
    if isinstance(node, Table):
        node.fields[path[-1]] = value  # type: ignore[index]
    else:
        node[path[-1] :] = [value]


def spoil(model: Any, changes: Mapping[str, Any]) -> None:
    """Set the places of a model that a row names."""
    for expression, value in changes.items():
        exec(f"model.{expression} = value", {"model": model, "value": value})
