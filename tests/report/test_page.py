"""The page: complete, self-contained, escaped, of bounded size, and true to the JSON."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from edgesr.report.page import page
from report.html import Page, read
from report.samples import COMMAND, HOSTILE, VARIANTS, WHEN, compared, material, record, sample, score, times

LIMIT = 4_000_000


@pytest.fixture(scope="module")
def text() -> str:
    return sample()


@pytest.fixture(scope="module")
def read_page(text: str) -> Page:
    return read(text)


def test_figures_are_those_of_the_json(read_page: Page) -> None:
    known = record()
    assert set(read_page.figures) >= {
        "drop_db", "drop_db_worst", "bytes", "bytes_compressed", "images", "worst_image", "psnr_float",
        "psnr_quantized", "psnr_to_float", "max_abs_error", "reference_mismatches", "reference_values",
        "int8_mac_share", "accelerated", "drop_tiling_db",
    }  # fmt: skip
    assert read_page.figures == {name: str(known[name]) for name in read_page.figures}


def test_asks_nothing_of_any_network(text: str, read_page: Page) -> None:
    assert not re.search(r"https?:|//[a-z0-9.-]+\.[a-z]{2,}/|@import|url\((?!#)", text)
    for element in read_page.elements:
        for name in ("src", "href", "srcset", "action", "poster", "data"):
            assert (element.attributes.get(name) or "data:").startswith("data:"), element
    (policy,) = read_page.all("meta", http_equiv="Content-Security-Policy")
    assert "default-src 'none'" in str(policy.attributes["content"])


def test_names_from_files_are_only_text(text: str, read_page: Page) -> None:
    assert len(read_page.all("script")) == 1
    assert "alert(" not in read_page.all("script")[0].text
    assert "<script>alert" not in text
    assert HOSTILE in read_page.text
    assert read_page.figures["worst_image"] == HOSTILE
    assert any(HOSTILE in str(image.attributes["alt"]) for image in read_page.all("img"))


def test_every_part_is_there(read_page: Page) -> None:
    assert [h.text for h in read_page.all("h2")] == [
        "What it looks like", "Which layer runs in what", "Where ranges are clipped", "Where the work goes",
        "What the search tried", "How exactly it runs", "How this was measured",
    ]  # fmt: skip
    assert len(read_page.all("img")) == 2 * 4 + 1
    assert len(read_page.all("circle")) == len(record()["search"]["steps"])
    known = record()["layers"]
    bars = [
        r for r in read_page.all("rect") if r.attributes.get("class") in ("int8", "int4", "dynamic", "float")
    ]
    assert len(bars) == len(known) + len({(layer["container"], layer["weight_bits"]) for layer in known})
    for words in (
        COMMAND,
        "Some CPU",
        "held back from calibration",
        "2 threads",
        "9 rounds in which float32 (53.0 to 60.0 ms) and low (1.35 to 2.25 ms), mid",
    ):
        assert words in read_page.text, words
    for name in VARIANTS:
        assert name in read_page.text


def test_a_compressed_file_is_compared_with_compressed_float() -> None:
    packed = read(sample(bytes=500_000))
    assert "and 25 % of its size" in packed.text
    assert "Through gzip; 704 kB unpacked. The float32 program has 2.00 MB through gzip." in packed.text


def test_names_may_be_of_any_bytes_and_files_of_any_form() -> None:
    odd = [record()["layers"][0] | {"name": "caf\udce9", "weight_bits": 3, "sensitivity": -1.0}]
    text = sample(layers=odd, worst_image="\udcff.png")
    found = read(text)
    assert "caf\\udce9" in found.text and found.figures["worst_image"] == "\\udcff.png"
    assert len(found.all("rect", class_="other")) == 2
    text.encode()


def test_what_is_looked_at_has_a_name(read_page: Page) -> None:
    assert all(image.attributes["alt"] for image in read_page.all("img"))
    inputs = read_page.all("input", type="range")
    labels = [label.text.strip() for label in read_page.all("label", class_="slide")]
    assert len(inputs) == len(labels) == 2 + len(VARIANTS)
    assert len(set(labels)) == len(labels)
    for drawing in read_page.all("svg", role="img"):
        assert drawing.attributes["aria-label"]


def test_headline_speed_and_size(read_page: Page) -> None:
    # (2 x 1.5 + 5 x 15 + 3 x 16.5) / 10 = 12.75 ms of 54; 703,944 of 2,200,000 bytes
    assert "at 4.2\N{MULTIPLICATION SIGN} its speed and 32 % of its size" in read_page.text
    assert "12.8 ms for a tile of 64 \N{MULTIPLICATION SIGN} 64 pixels, 54.0 ms in float32" in read_page.text


def test_devices_have_a_row_each(read_page: Page) -> None:
    (table,) = read_page.all("table", class_="devices")
    rows = [" ".join(line.split()) for line in table.text.split("Cortex-A76, emulated")[1:]]
    assert rows == [
        ": high 0 of 1,000,000; equal 0.020 dB; 0.021 dB on this machine passed",
        ": low 3 of 1,000,000; equal 0.020 dB; 0.021 dB on this machine 3 differ",
        f"\N{EN DASH} \N{EN DASH} does not run: {HOSTILE}",
    ]


def test_a_file_that_names_no_layers_and_a_gate_without_limit() -> None:
    gate = record()["gate"] | {"max_drop": None}
    found = read(sample(layers=[], gate=gate))
    assert not found.all("svg", class_="bars")
    assert "Allowed" not in found.text
    assert "allowed" not in [text.text for text in found.all("text")]


def test_tiles_that_no_network_sees_take_no_time() -> None:
    routing = record()["routing"] | {"skip": 5.0}
    found = read(
        page(record(routing=routing), replace(material(), routes={"skip": 5, "high": 5}), COMMAND, WHEN)
    )
    (table,) = found.all("table", class_="routes")
    assert table.text.strip().endswith("skip50 %no network runs")
    assert "Below 5.00 no network runs; below 12.0 a tile goes to low" in found.text
    assert "8.25 ms for a tile" in found.text


def test_where_no_tile_needs_the_network_there_is_no_speed() -> None:
    text = read(page(record(), replace(material(), routes={"skip": 10}), COMMAND, WHEN)).text
    assert "no tile needs it" in text and "its speed" not in text


def test_a_failed_gate_says_why() -> None:
    gate = record()["gate"] | {"passed": False, "failures": ["it loses 0.2 dB, 0.1 dB are allowed"]}
    assert "Gate failed: it loses 0.2 dB, 0.1 dB are allowed" in read(sample(gate=gate)).text


def test_nothing_lost_is_said_so() -> None:
    read_page = read(sample(drop_db=-0.002, psnr_to_float=None))
    assert "loses nothing measurable" in read_page.text
    assert read_page.figures["psnr_to_float"] == ""


def test_a_check_has_neither_search_nor_histograms() -> None:
    known = record(devices=[])
    for name in ("search", "routing", "milliseconds", "bytes_compressed"):
        del known[name]
    read_page = read(page(known, replace(material(), histograms=()), COMMAND, WHEN))
    assert "What the search tried" not in read_page.text
    assert "which sees the calibration pictures; a check does not" in read_page.text
    assert not read_page.all("table", class_="devices")
    assert read_page.figures["bytes_compressed"] == "528036"


def test_one_variant_without_sensitivities() -> None:
    plain = [layer | {"variant": "serving_default", "sensitivity": None} for layer in record()["layers"][:4]]
    known = record(variants=["serving_default"], layers=plain, routing=None, search=None)
    one = material()
    timing = replace(one.timing, variants={"serving_default": times(15.0)})
    one = replace(one, timing=timing, routes={"serving_default": 4}, method="minmax", histograms=())
    read_page = read(page(known, one, COMMAND, WHEN))
    assert "minmax estimates no sensitivity" in read_page.text
    assert "Nothing is clipped" in read_page.text
    assert "one variant, which all tiles run in" in read_page.text


def test_a_search_that_ended_at_once() -> None:
    search = record()["search"]
    done = {"ranking": [], "steps": [search["steps"][0] | {"layer": None}]}
    read_page = read(sample(search=done))
    assert "The first program was good enough: 0 changes: 0.090 dB expected" in read_page.text
    assert not read_page.all("circle")


def test_large_pictures_stay_small_files() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    hard = replace(compared("worst", score("a.png", 0.1), 512, 512), plain=noise, program=noise[::-1].copy())
    text = page(record(), replace(material(), compared=(hard,)), COMMAND, WHEN)
    assert len(text) < LIMIT / 2
    shown = read(text).all("img")[0]
    assert 128 <= int(str(shown.attributes["width"])) < 512


def test_the_json_part_is_unchanged_by_the_page() -> None:
    known = record()
    before = json.dumps(known)
    page(known, material(), COMMAND, WHEN)
    assert json.dumps(known) == before
