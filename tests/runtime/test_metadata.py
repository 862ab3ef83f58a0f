"""What is written is read back; what breaks a rule is refused by name; the published schema says the same."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edgesr_runtime.errors import UserError
from edgesr_runtime.metadata import VARIANT_LISTS, ProgramInfo, Routing, SizeRange

from .tiny_program import tiny_info

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "program.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
GOOD = json.loads(tiny_info(routing=Routing(3.5, 12.0), variants=("low", "high")).to_json())
DELETED = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(GOOD)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    target: Any = data
    for step in parents:
        target = target[step]
    if value is DELETED:
        del target[last]
    else:
        target[last] = value
    return data


def accepted(data: Any) -> bool:
    try:
        ProgramInfo.from_json(json.dumps(data))
    except UserError:
        return False
    return True


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("variants", VARIANT_LISTS)
@pytest.mark.parametrize("routing", [None, Routing(1.0, 1.0), Routing(-1.5, 30.0)])
@pytest.mark.parametrize("evidence", [None, {"drop_db": 0.1, "deep": [{"a": None}]}])
def test_round_trip_fits_the_schema(
    variants: tuple[str, ...], routing: Routing | None, evidence: Any
) -> None:
    info = tiny_info(variants=variants, routing=routing, evidence=evidence)
    written = info.to_json()
    VALIDATOR.validate(json.loads(written))
    assert ProgramInfo.from_json(written) == info == ProgramInfo.from_json(written.encode())


def leaves(data: Any, path: str = "") -> list[str]:
    found = [path] if path else []
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in children:
        found += leaves(value, f"{path}/{key}" if path else str(key))
    return found


VALUES = [
    *(DELETED, None, True, False, 0, 1, 2, 2.0, 2.5, -1, 255, 256, 10**30, 1e300),
    *("", "x", "1.0", "1.7", "2.0", "int8", "f32", "rgb", "a" * 64, "A" * 64),
    *([], {}, [1, 2], [1, "2"], [1, 2, 3], [True, 2], ["low"], ["high", "low"], ["mid", "high"]),
    *(["serving_default"], ["low", "low"], [[]], {"low": 1}, {"low": 1, "high": 2, "more": 3}),
]
# Rules between two fields, of which a JSON Schema cannot speak.
JOINED = {("tile", 1), ("tile", 2)}


@pytest.mark.parametrize("path", leaves(GOOD))
def test_schema_and_reader_agree_on_every_mutation(path: str) -> None:
    for value in VALUES:
        if isinstance(value, int | float) and not isinstance(value, bool) and ends_a_range(path, value):
            continue
        data = changed(path, value)
        assert accepted(data) == VALIDATOR.is_valid(data), (path, value)


def ends_a_range(path: str, value: float) -> bool:
    """True where the change breaks (or might break) a rule between two fields."""
    return (path, value) in JOINED or "_range/" in path or path.startswith("routing/") or path == "halo"


@pytest.mark.parametrize("value", [[], None, 1, "x"])
def test_the_whole_must_be_an_object(value: Any) -> None:
    assert not accepted(value) and not VALIDATOR.is_valid(value)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("scale", 9, "scale: must be an integer 1..8, got 9"),
        ("scale", DELETED, "scale: must be an integer 1..8, but is missing or null"),
        ("halo", 8, r"halo: must be below half of tile \(16\), got 8"),
        ("routing", {"low": 2, "high": 1}, "routing.low: must not be above routing.high"),
        ("routing/low", "3", "routing.low: must be a finite number, got '3'"),
        ("routing/skip", 3.6, r"routing.skip: must not be above routing.low \(3.5\)"),
        ("routing/skip", -1, "routing.skip: must be a number 0..1000, got -1"),
        ("routing/error", -0.1, "routing.error: must be a number 0..65025, got -0.1"),
        ("exact_halo", -1, "exact_halo: must be an integer 0..1000000, got -1"),
        ("layers/0/container", "int4", r"layers\[0\].container: must be 'int8' or 'int8-dynamic' or 'f32'"),
        ("layers/0/input_range", [2, 1], r"layers\[0\].input_range: must be two numbers, the lower first"),
        ("layers/0/output_range", [0, "x"], r"layers\[0\].output_range\[1\]: must be a finite number"),
        ("calibration/fingerprint", "x", "calibration.fingerprint: must be text like"),
        ("variants", ["high", "low"], "variants: must be "),
        ("schema", "2.0", "schema: is version '2.0', but this edgesr-runtime reads only 1.x"),
        ("network", "", "network: must be text"),
    ],
)
def test_messages_name_the_field(path: str, value: Any, named: str) -> None:
    with pytest.raises(UserError, match=f"^a.tflite: metadata field {named}") as caught:
        ProgramInfo.from_json(json.dumps(changed(path, value)), "a.tflite")
    assert "\n" not in str(caught.value)


def test_another_major_version_is_told_before_its_fields() -> None:
    with pytest.raises(UserError, match=r"version '7\.2'"):
        ProgramInfo.from_json('{"schema": "7.2"}')


def test_files_of_schema_1_0_lack_what_came_later() -> None:
    data = changed("schema", "1.0")
    del data["exact_halo"], data["routing"]["skip"], data["routing"]["error"]
    assert VALIDATOR.is_valid(data)
    info = ProgramInfo.from_json(json.dumps(data))
    assert info.exact_halo is None and info.routing == Routing(3.5, 12.0, 0.0, None)


@pytest.mark.parametrize("routing", [Routing(3.5, 12.0, 3.5, 0.25), Routing(-1.0, 2.0), Routing(0.0, 0.0)])
def test_what_is_skipped_lies_below_the_thresholds(routing: Routing) -> None:
    info = tiny_info(variants=("low", "high"), routing=routing, exact_halo=40)
    VALIDATOR.validate(json.loads(info.to_json()))
    assert ProgramInfo.from_json(info.to_json()) == info


def test_a_minor_version_may_add_keys() -> None:
    data = changed("schema", "1.9")
    data["new"] = data["layers"][0]["new"] = data["routing"]["new"] = {"any": 1}
    assert accepted(data) and VALIDATOR.is_valid(data)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        b"\xff\xfe\xfd",
        "[" * 100_000,
        '{"scale": NaN}',
        '{"scale": Infinity}',
        '{"a": ' + "9" * 5000 + "}",
    ],
)
def test_refuses_what_is_no_json(content: str | bytes) -> None:
    with pytest.raises(UserError, match="not JSON"):
        ProgramInfo.from_json(content)


def test_a_number_beyond_float_is_refused() -> None:
    with pytest.raises(UserError, match=r"routing\.low: must be a finite number"):
        ProgramInfo.from_json(json.dumps(GOOD).replace("3.5", "1e999"))
    with pytest.raises(UserError, match=r"routing\.high: must be a finite number"):
        ProgramInfo.from_json(json.dumps(changed("routing/high", 10**400)))


@pytest.mark.parametrize("change", [{"scale": 0}, {"halo": 8}, {"routing": Routing(float("nan"), 1.0)}])
def test_never_writes_what_it_would_not_read(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"scale|halo|JSON"):
        tiny_info(**change).to_json()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_only_plain_utf_8_is_read(encoding: str) -> None:
    """As every other language reads it."""
    assert ProgramInfo.from_json(json.dumps(GOOD).encode()).tile == GOOD["tile"]
    with pytest.raises(UserError, match="not JSON"):
        ProgramInfo.from_json(json.dumps(GOOD).encode(encoding))


def test_sizes_are_written_where_there_are_some() -> None:
    info = tiny_info(schema="1.2", sizes=SizeRange(8, 64))
    VALIDATOR.validate(json.loads(info.to_json()))
    assert ProgramInfo.from_json(info.to_json()) == info
    assert "sizes" not in json.loads(tiny_info().to_json())
    assert [side in SizeRange(8, 64) for side in (7, 8, 64, 65)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("sizes", "named"),
    [
        ({"min": 17, "max": 64}, r"sizes: must hold the tile \(16\), got 17 to 64"),
        ({"min": 1, "max": 15}, r"sizes: must hold the tile \(16\), got 1 to 15"),
        ({"min": 0, "max": 64}, r"sizes.min: must be an integer 1..4096, got 0"),
        ({"max": 64}, r"sizes.min: must be an integer 1..4096, but is missing or null"),
        ({"min": 1, "max": 4097}, r"sizes.max: must be an integer 1..4096, got 4097"),
        ([1, 64], r"sizes: must be an object"),
    ],
)
def test_sizes_that_cannot_be(sizes: Any, named: str) -> None:
    with pytest.raises(UserError, match=f"metadata field {named}"):
        ProgramInfo.from_json(json.dumps(GOOD | {"sizes": sizes}))
