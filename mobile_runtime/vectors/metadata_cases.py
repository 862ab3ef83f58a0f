"""Metadata of every kind that a reader must tell apart, as changes of one good entry."""

import copy
import json
from collections.abc import Iterator
from typing import Any
from zlib import crc32

Case = tuple[str, bytes, str | None]
"""Name, text, and what the refusal must say (empty: it is taken; None: whatever the runtime decides)."""

_DELETED = object()
_LAYER = {
    "name": "up.0", "kind": "conv", "weight_bits": 4, "activation_bits": 8, "container": "int8",
    "input_range": [0, 255.5], "output_range": None, "sensitivity": 0.01, "variant": "low",
}  # fmt: skip
_GOOD: dict[str, Any] = {
    "schema": "1.2", "edgesr": "0.1.0", "network": "nearest", "scale": 2, "pixel_range": 255, "tile": 16,
    "halo": 2, "exact_halo": 5, "variants": ["low", "high"],
    "routing": {"low": 3.5, "high": 12, "skip": 0.25, "error": 1.5}, "colour": "rgb",
    "calibration": {"method": "minmax", "images": 16, "fingerprint": "0123456789abcdef" * 4, "seed": 7},
    "layers": [_LAYER], "evidence": {"drop_db": 0.02}, "sizes": {"min": 1, "max": 4096},
}  # fmt: skip
BASE = json.dumps(_GOOD, separators=(",", ":"))

_ANY = (
    *(_DELETED, None, True, 0, 1, 2.0, 2.5, -1),
    *("", "x", [], {}, [1, 2]),
)
_NOT_JSON, _SEED, _LOW, _HALF = "is not JSON", "calibration/seed", "routing/low", "layers/0/input_range"

# Values at and just beyond the limits of a field.
_LIMITS: dict[str, tuple[Any, ...]] = {
    "schema": ("1.0", "1.10", "1", "1.", "1.x", "1.1.1", "1.1\n", " 1.1", "2.0", "11.0", "01.0", "-1.0", ""),
    "network": (" ", "\n", "\0", "\u00e9\u6f22\U0001f600", "\ud800", "a" * 70),
    "scale": (8, 8.0, 9, 1e0, -2, 2**63, 2**64 + 2, 2.0000000000000004, "2"),
    "pixel_range": (1, 1.0, 255.0, 2, "255", 255.5, [255]),
    "tile": (5, 4, 4096, 4097, 16.0),
    "halo": (7, 8, 2047, 7.0, -0.0),
    "exact_halo": (0, 8, 1_000_000, 1_000_001, -1, 2.0, 2.5, "5"),
    "variants": (
        *(["serving_default"], ["low"], ["mid"], ["high"], ["low", "mid"], ["low", "high"], ["mid", "high"]),
        *(["low", "mid", "high"], ["high", "low"], ["low", "low"], ["low", "mid", "high", "high"], "low"),
        *([["low"]], ["LOW"], [None], ["low", True], {"low": 1}),
    ),
    _LOW: (-1.5, 0.25, 0.2, 12, 12.5, 1e308, -0.0, 2**53 + 1, 10**308, 10**309, "3"),
    "routing/high": (3.5, 3.4999999999999996, 10**400),
    "routing/skip": (0, 3.5, 3.6, 1000, 1000.5, -0.0, -1e-300),
    "routing/error": (0, 65025, 65025.5, -1e-9),
    "routing": (
        {"low": 1, "high": 1},
        {"low": -1, "high": -1, "skip": 0},
        {"low": -1, "high": -1, "skip": 1},
    ),
    "colour": ("RGB", "bgr", ["rgb"]),
    "calibration/images": (1_000_000, 1_000_001, 16.0),
    "calibration/fingerprint": ("A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", "g" * 64, "\u0660" * 64),
    _SEED: (2**53 + 1, 2**63 - 1, 2**63, float(2**62), float(2**63), 1e18, -(2**63) - 1),
    "layers": ([], [_LAYER, _LAYER], [_LAYER, {}], [_LAYER, None], [[]]),
    "layers/0/weight_bits": (32, 33, 8.0),
    "layers/0/activation_bits": (1, 32, 33),
    "layers/0/container": ("int8-dynamic", "f32", "int4"),
    _HALF: ([1, 1], [2, 1], [0, "x"], [True, 2], [1, 2, 3], [1], [0, 10**400], [-0.0, 0]),
    "layers/0/variant": ("serving_default", "mid", "best"),
    "evidence": ({"a": [{"b": None}], "c": 1e300}, {"deep": [[[[]]]]}),
    "sizes": (
        *({"min": 16, "max": 16}, {"min": 15, "max": 17.0}, {"min": 16, "max": 16, "more": 1}),
        *({"min": 17, "max": 64}, {"min": 1, "max": 15}, {"min": 32, "max": 8}),
    ),
    "sizes/min": (16, 17, 16.0),
    "sizes/max": (16, 15, 4097),
}

# Text that no change of values makes: what stands in place of the seed's 7, and how the reader must end.
_SEED_TEXTS: dict[str, str] = {
    "7.0": "", "7e0": "", "70E-1": "", "0.7e+1": "", "-0": "", "0": "", " \t\r\n7 ": "", "7e00000": "",
    "07": _NOT_JSON, "+7": _NOT_JSON, ".7": _NOT_JSON, "7.": _NOT_JSON, "7e": _NOT_JSON, "-": _NOT_JSON,
    "0x7": _NOT_JSON, "7_0": _NOT_JSON, "7f": _NOT_JSON, "1e5e5": _NOT_JSON, "--7": _NOT_JSON,
    "7 7": _NOT_JSON,
    "NaN": _NOT_JSON, "Infinity": _NOT_JSON, "-Infinity": _NOT_JSON, "nan": _NOT_JSON, "True": _NOT_JSON,
    "nul": _NOT_JSON, "'7'": _NOT_JSON, "": _NOT_JSON, "\x0b7": _NOT_JSON, "\xc2\xa07": _NOT_JSON,
    "7/**/": _NOT_JSON, "7\0": _NOT_JSON, "\0": _NOT_JSON, "1e999": "field calibration.seed:",
    "7.5": "field calibration.seed:",
    "\xd9\xa7": _NOT_JSON, "9223372036854775807.0": "field calibration.seed:",
    '7,"seed":8': "", '7,"seed":"x"': "field calibration.seed:", '"x","seed":7': "",
}  # fmt: skip

# The same in place of the network's name, within its quotes.
_NAME_TEXTS: dict[str, str] = {
    r"\"\\\/\b\f\n\r\t": "", r"A\u00e9\uD83D\uDE00": "", r"\ud800": "", r"\udc00\ud800x": "", r"\u0000": "",
    "\x7f": "", "\xc3\xa9": "", "\xe6\xbc\xa2\xf0\x9f\x98\x80": "", "/": "", "\xef\xbb\xbf": "",
    r"\x41": _NOT_JSON, r"\u12G4": _NOT_JSON, r"\u+123": _NOT_JSON, r"\u 123": _NOT_JSON, r"\u12": _NOT_JSON,
    r"\U0041": _NOT_JSON, "a\nb": _NOT_JSON, "a\tb": _NOT_JSON, "a\0b": _NOT_JSON, "a\x1fb": _NOT_JSON,
    '"': _NOT_JSON,
    "\\": _NOT_JSON, "\xff": _NOT_JSON, "\xc3": _NOT_JSON, "\x80": _NOT_JSON, "\xc0\x80": _NOT_JSON,
    "\xf5\x80\x80\x80": _NOT_JSON, "\xe6\xbc": _NOT_JSON, "\xf0\x80\x80\x80": _NOT_JSON,
    r"\uff11\u0661": "", "\\u\xef\xbc\x91111": _NOT_JSON,
}  # fmt: skip

_OF_1_1 = BASE.replace("1.2", "1.1", 1).replace(',"sizes":{"min":1,"max":4096}', "")

# And of the whole text.
_WHOLE: dict[str, tuple[str, str]] = {
    "empty": ("", _NOT_JSON),
    "spaces": (" \n", _NOT_JSON),
    "cut": (BASE[:-1], _NOT_JSON),
    "one bracket": ("{", _NOT_JSON),
    "spaces around": (f" \r\n\t{BASE}\n", ""),
    "twice": (BASE + BASE, _NOT_JSON),
    "more behind": (BASE + "x", _NOT_JSON),
    "zero behind": (BASE + "\0", _NOT_JSON),
    "comma at the end": (BASE[:-1] + ",}", _NOT_JSON),
    "comma in front": ("{," + BASE[1:], _NOT_JSON),
    "no colon": (BASE.replace(":", "=", 1), _NOT_JSON),
    "key without quotes": (BASE.replace('"schema"', "schema"), _NOT_JSON),
    "comment": ("//x\n" + BASE, _NOT_JSON),
    "list": ("[]", "the whole entry must be an object"),
    "list with a comma": ("[1,]", _NOT_JSON),
    "null": ("null", "the whole entry must be an object"),
    "text": ('"x"', "the whole entry must be an object"),
    "number": ("1", "the whole entry must be an object"),
    "only a major version": ('{"schema": "7.2"}', "field schema: is version '7.2'"),
    "empty object": ("{}", "field schema:"),
    "deep": (BASE.replace("0.02", "[" * 190 + "]" * 190), ""),
    "far too deep": (BASE.replace("0.02", "[" * 2000), _NOT_JSON),
    "long number": (BASE.replace("0.02", "9" * 4300), ""),
    "longer number": (BASE.replace("0.02", "9" * 4301), _NOT_JSON),
    "huge numbers in evidence": (BASE.replace("0.02", "[1e999,-1e999,1e-999]"), ""),
    "new keys": (BASE.replace('"seed"', '"new":{"a":[1]},"seed"').replace("{", '{"new":null,', 1), ""),
    "of schema 1.1": (_OF_1_1, ""),
    "of schema 1.0": (
        _OF_1_1.replace("1.1", "1.0", 1)
        .replace('"exact_halo":5,', "")
        .replace(',"skip":0.25,"error":1.5', ""),
        "",
    ),
    "two wrong fields": (
        BASE.replace('"scale":2', '"scale":0').replace('"tile":16', '"tile":0'),
        "field scale:",
    ),
}


def cases() -> Iterator[Case]:
    """All of them; names are unique."""
    for path in _leaves(_GOOD):
        for value in dict.fromkeys(map(_key, (*_ANY, *_LIMITS.get(path, ())))):
            yield _changed(path, _VALUES[value])
    for text, says in _SEED_TEXTS.items():
        yield f"seed as {text!r}", BASE.replace('seed":7', f'seed":{text}').encode("latin-1"), says
    for text, says in _NAME_TEXTS.items():
        yield f"network as {text!r}", BASE.replace("nearest", text).encode("latin-1"), says
    for name, (text, says) in _WHOLE.items():
        yield name, text.encode(), says
    big = {"tile": 4096, "halo": 2047}
    yield "largest halo", json.dumps(_GOOD | big).encode(), ""
    yield "halo too large", json.dumps(_GOOD | big | {"halo": 2048}).encode(), "field halo:"


_VALUES: dict[str, Any] = {}


def _key(value: Any) -> str:
    """A text by which equal values, and only those, are one."""
    key = "left out" if value is _DELETED else json.dumps(value)
    _VALUES[key] = value
    return key


def _changed(path: str, value: Any) -> Case:
    data = copy.deepcopy(_GOOD)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    target: Any = data
    for step in parents:
        target = target[step]
    if value is _DELETED:
        del target[last]
    else:
        target[last] = value
    name = _key(value)
    name = name if len(name) <= 50 else f"{name[:30]}... of {len(name)}, {crc32(name.encode()):x}"
    return f"{path} {name}", json.dumps(data, separators=(",", ":")).encode(), None


def _leaves(data: Any, path: str = "") -> list[str]:
    found = [path] if path else []
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in children:
        found += _leaves(value, f"{path}/{key}" if path else str(key))
    return found


def between_ends(base: bytes, changed: bytes) -> tuple[int, int, bytes]:
    """Where the two begin to differ, where they cease to (in `base`), and what stands there in `changed`."""
    limit = min(len(base), len(changed))
    start = next((i for i in range(limit) if base[i] != changed[i]), limit)
    same = next((i for i in range(limit - start) if base[-1 - i] != changed[-1 - i]), limit - start)
    return start, len(base) - same, changed[start : len(changed) - same]
