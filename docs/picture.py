"""Makes docs/images/plain_x2.png, the README's picture, with one of our own painted pictures.

python docs/picture.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edgesr.conversion import Options, convert
from edgesr.evaluation.metrics import psnr_y
from edgesr.evaluation.resize import downscale, upscale_bicubic
from edgesr.steps.pictures import shipped_folder
from edgesr_runtime import open_program, upscale

SCALE, SIDE, MARGIN, FOOT = 2, 240, 12, 34
SOURCE, CORNER = "28_page.png", (72, 72)  # (top, left) of what is shown
TARGET = Path(__file__).parent / "images" / "plain_x2.png"


def main() -> None:
    hr = np.asarray(Image.open(shipped_folder() / SOURCE).convert("RGB"))
    lr = downscale(hr, SCALE)
    with TemporaryDirectory() as folder:
        output = Path(folder, "plain.tflite")
        convert(Options("plain", output, scale=SCALE, bits="w8a8"))
        program = upscale(open_program(output, trusted=True), lr)
        size = output.stat().st_size
    bicubic = upscale_bicubic(lr, SCALE)
    panels = {
        f"bicubic, {psnr_y(bicubic, hr, SCALE):.2f} dB": bicubic,
        f"int8 program of {size // 1000} kB, {psnr_y(program, hr, SCALE):.2f} dB": program,
        "original": hr,
    }
    TARGET.parent.mkdir(exist_ok=True)
    _side_by_side(panels).save(TARGET, optimize=True)


def _side_by_side(panels: dict[str, np.ndarray]) -> Image.Image:
    width = len(panels) * (SIDE + MARGIN) - MARGIN
    sheet = Image.new("RGB", (width, SIDE + FOOT), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=14)
    top, left = CORNER
    for number, (label, picture) in enumerate(panels.items()):
        x = number * (SIDE + MARGIN)
        sheet.paste(Image.fromarray(picture[top : top + SIDE, left : left + SIDE]), (x, 0))
        draw.text((x, SIDE + 8), label, "black", font)
    return sheet


if __name__ == "__main__":
    main()
