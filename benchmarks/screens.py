"""Screenshots, light and dark: what a phone or desktop shows, with edges of one pixel and full contrast."""

import re

import numpy as np
from drawing import HEIGHT, WIDTH, Sheet, font, strokes

from edgesr.evaluation.judge import Rgb

ICONS = {
    "Inbox": "1,9 5,9 6,11 10,11 11,9 15,9 / 1,9 4,2 12,2 15,9 15,14 1,14 1,9",
    "Sent": "1,8 15,1 10,15 7,9 1,8 / 7,9 15,1",
    "Drafts": "3,13 4,10 12,2 14,4 6,12 3,13 / 1,15 15,15",
    "Archive": "1,2 15,2 15,6 1,6 1,2 / 2,6 2,14 14,14 14,6 / 6,9 10,9",
    "Reports": "2,1 2,14 15,14 / 5,11 5,8 / 8,11 8,4 / 11,11 11,6",
    "Trash": "3,4 4,15 12,15 13,4 / 1,4 15,4 / 6,4 6,1 10,1 10,4 / 6,7 6,12 / 10,7 10,12",
    "menu": "1,3 15,3 / 1,8 15,8 / 1,13 15,13",
    "search": "10,10 15,15 / 6,1 9,2 11,6 9,10 6,11 3,10 1,6 3,2 6,1",
    "check": "3,8 7,12 13,4",
}
"""Strokes in a box of 16 pixels."""


def icon(sheet: Sheet, name: str, x: float, y: float, ink: str, side: float = 16, width: float = 1.5) -> None:
    for line in strokes(ICONS[name]):
        sheet.stroke([(x + u * side / 16, y + v * side / 16) for u, v in line], ink, width)


ORDERS = """
1047 Wilhelmina Park|Copper wire, 0.5 mm|24|189.60|Paid|#12a150
1048 J. Okonkwo|Lens cap (52 mm)|2|17.98|Open|#f5a500
1049 Harbour & Sons|LED strip 5 m, RGB|150|2,385.00|Paid|#12a150
1050 Fjord Optics|Prism BK7, 30x30|8|412.40|Late|#e5002b
1051 M. Castellanos|Fuse 250 V / 1 A|500|95.00|Paid|#12a150
1052 Quick Brown Fox Ltd.|Tripod 1/4"-20|1|64.25|Sent|#0a5cff
1053 Zhang Wei|Battery CR2032 [x10]|40|258.00|Open|#f5a500
1054 Atelier Jaune|Pixel ruler, 15 cm|12|35.88|Late|#e5002b
"""
"""Customer, article, number, total, state and its colour."""


def text() -> Rgb:
    """The window of an office program: a list, buttons, a table, running text from 9 to 26 pixels."""
    sheet = Sheet("#ffffff")
    title_bar(sheet)
    folders(sheet)
    sheet.text(160, 86, "Orders of week 27", "#000000", 26)
    sheet.text(160, 112, "Eight orders, 737 parts. Prices in euro, without tax.", "#202020")
    sheet.text(460, 112, "Terms of delivery", "#0000ee")
    sheet.box(460, 118, round(font(12).getlength("Terms of delivery")), 1, "#0000ee")
    table(sheet, 132)
    buttons = (("Save", "#0a5cff", 160), ("Approve", "#12a150", 240), ("Delete", "#e5002b", 320))
    for words, colour, x in buttons:
        sheet.box(x, 372, 72, 26, colour, 4)
        sheet.text(x + 36, 385, words, "#ffffff", 13, "mm")
    sheet.box(400, 372, 72, 26, "#ffffff", 4, "#808080")
    sheet.text(436, 385, "Cancel", "#000000", 13, "mm")
    for x, words, fill in ((488, "Send a copy", "#0a5cff"), (588, "Print", "#ffffff")):
        sheet.box(x, 378, 13, 13, fill, 2, "#0a5cff" if fill != "#ffffff" else "#808080")
        icon(sheet, "check", x + 1, 379, "#ffffff", 11, 2)
        sheet.text(x + 18, 385, words, "#000000", 11)
    notes = (
        "Notes: the lens caps are in room 3B, on the left-hand shelf. Ask M. for the key.",
        "Warning: two payments are overdue since 30 June. Please call before 16:30 (tel. +49 30 555 0142).",
        "Sizes are given as width x height x depth in mm, tolerance +/- 0.05, unless stated otherwise.",
    )
    for line, colour in enumerate(("#000000", "#d00000", "#606060")):
        sheet.text(160, 414 + 16 * line, notes[line], colour, 10 + (line == 0))
    sheet.box(0, 462, WIDTH, 18, "#f0f0f0")
    sheet.box(0, 461, WIDTH, 1, "#c0c0c0")
    sheet.text(8, 471, "8 of 1,054 rows    1 selected    Sum: 3,458.11", "#404040", 9)
    sheet.text(640, 471, "Line 3, Column 12    UTF-8    100 %", "#404040", 9, "rm")
    return np.array(sheet.picture())


def title_bar(sheet: Sheet) -> None:
    """The upper 62 pixels: the window's buttons, its title, a menu and a field for searching."""
    sheet.box(0, 0, WIDTH, 62, "#ececec")
    sheet.box(0, 61, WIDTH, 1, "#b8b8b8")
    for x, colour in ((14, "#ff5f57"), (34, "#febc2e"), (54, "#28c840")):
        sheet.disc(x, 14, 6, colour)
    sheet.text(324, 14, "Ledger - orders.db", "#303030", 13, "mm")
    icon(sheet, "menu", 10, 36, "#303030")
    menus = ("File", "Edit", "View", "Insert", "Tools", "Help")
    for x, words in zip((40, 78, 118, 162, 212, 258), menus, strict=True):
        sheet.text(x, 44, words, "#000000", 13)
    sheet.box(448, 33, 190, 22, "#ffffff", 4, "#a0a0a0")
    icon(sheet, "search", 454, 38, "#606060", 12)
    sheet.text(472, 44, "Search customers...", "#909090", 12)


def folders(sheet: Sheet) -> None:
    """A list with icons at the left; one item is selected, two have a number."""
    sheet.box(0, 62, 144, 400, "#f6f6f8")
    sheet.box(144, 62, 1, 400, "#d0d0d0")
    sheet.text(12, 78, "FOLDERS", "#808080", 10)
    counts = {"Inbox": "12", "Drafts": "3"}
    for row, name in enumerate(("Inbox", "Sent", "Drafts", "Archive", "Reports", "Trash")):
        y, selected = 90 + 28 * row, name == "Reports"
        ink = "#ffffff" if selected else "#202020"
        if selected:
            sheet.box(6, y, 132, 24, "#0a5cff", 5)
        icon(sheet, name, 14, y + 4, ink)
        sheet.text(38, y + 12, name, ink, 13)
        if name in counts:
            sheet.box(108, y + 4, 24, 16, "#e5002b", 8)
            sheet.text(120, y + 12, counts[name], "#ffffff", 10, "mm")
    sheet.text(12, 278, "LABELS", "#808080", 10)
    labels = {
        "Urgent": "#ff0000",
        "Export": "#00a000",
        "Samples": "#ff00ff",
        "Repairs": "#00b8d8",
        "Tax": "#ffd000",
    }
    for row, (name, colour) in enumerate(labels.items()):
        sheet.box(16, 292 + 22 * row, 10, 10, colour)
        sheet.text(38, 297 + 22 * row, name, "#202020", 12)
    for row, share in enumerate((0.82, 0.35)):
        sheet.box(12, 420 + 20 * row, 120, 6, "#d8d8dc", 3)
        sheet.box(12, 420 + 20 * row, 120 * share, 6, ("#0a5cff", "#ff7a00")[row], 3)


def table(sheet: Sheet, top: int) -> None:
    """Rows under a dark head, ruled with lines of one pixel."""
    edges = (160, 306, 432, 480, 560, 636)
    sheet.box(160, top, 477, 25, "#1f2a44")
    for x, words in zip(edges, ("Customer", "Article", "No.", "Total", "State"), strict=False):
        sheet.text(x + 6, top + 12, words, "#ffffff", 12)
    for row, line in enumerate(ORDERS.strip().splitlines()):
        y = top + 25 + 25 * row
        customer, article, number, total, state, colour = line.split("|")
        sheet.box(160, y, 477, 25, ("#ffffff", "#eef3fb")[row % 2])
        sheet.box(160, y + 24, 477, 1, "#c8d0dc")
        sheet.text(166, y + 12, customer, "#000000", 11)
        sheet.text(312, y + 12, article, "#000000", 11)
        sheet.text(474, y + 12, number, "#000000", 11, "rm")
        sheet.text(554, y + 12, total, "#d00000" if state == "Late" else "#000000", 11, "rm")
        sheet.box(568, y + 4, 58, 16, colour, 8)
        sheet.text(597, y + 12, state, "#ffffff", 10, "mm")
    for x in edges:
        sheet.box(x, top + 25, 1, 200, "#c8d0dc")


PROGRAM = '''
# Reads a grey picture and enlarges it, line by line.
from pathlib import Path
import numpy as np

LIMIT = 255  # white
NAMES = {"near": 0, "linear": 1, "cubic": 3}

class Enlarger:
    """Doubles both sides of a picture."""

    def __init__(self, scale=2, kernel="cubic"):
        self.scale = scale
        self.taps = 2 * NAMES[kernel] + 1

    def run(self, rows):
        for y, row in enumerate(rows):
            wide = np.repeat(row, self.scale)
            if wide.max() > LIMIT:
                raise ValueError(f"row {y}: too bright")
            yield np.clip(wide + 0.5, 0, LIMIT)
'''
COLOURS = {
    r"#.*": "#5c8a4a",
    r'f?"+[^"]*"+': "#ff9d5c",
    r"\b(?:from|import|class|def|for|in|if|raise|yield|self)\b": "#d670ff",
    r"\b\d[\d.]*": "#b5f28c",
    r"\w+(?=\()": "#ffe066",
    r"\b[A-Z]+\b": "#4fc1ff",
    r"\w+": "#d4d4d4",
    r"[^\w\s]": "#9aa4b2",
}
"""How a program is coloured: at each place the first pattern that fits."""

FILES = (
    (0, "docs", "#ffca28"),
    (0, "tests", "#ff5252"),
    (0, "source", "#40c4ff"),
    (12, "enlarge.py", "#69f0ae"),
    (12, "kernels.py", "#ffca28"),
    (12, "rows.py", "#ff5252"),
    (0, "README.md", "#40c4ff"),
    (0, "LICENSE", "#69f0ae"),
    (0, "out.json", "#ffca28"),
)
"""Indent, name and colour of each line in the list of files."""

LOG = (
    ("$ python enlarge.py --scale 2 photo.png", "", "", "#ffffff"),
    ("photo.png: 640 x 480, 8 bits", "", "", "#a0a0a0"),
    ("PASS", "test_rows", "0.02 s", "#00e676"),
    ("FAIL", "test_white", "256 != 255", "#ff3b3b"),
    ("WARN", "1 row clipped", "", "#ffd600"),
)
"""Three columns of a line in the terminal, and its colour."""


def text_dark() -> Rgb:
    """An editor in dark mode: a program in colours, a list of files, a terminal."""
    sheet = Sheet("#1e1e1e")
    editor_frame(sheet)
    for row, line in enumerate(PROGRAM.strip().replace("    ", " " * 8).splitlines()):
        y = 46 + 15 * row
        sheet.text(178, y, str(row + 1), "#ffffff" if row == 16 else "#6a6a6a", 11, "rm")
        for match in re.finditer("|".join(COLOURS), line):
            before, here = line[: match.start()], line[match.start() :]
            fill = next(colour for pattern, colour in COLOURS.items() if re.match(pattern, here))
            sheet.text(190 + font(13).getlength(before), y, match[0], fill, 13)
            sheet.box(594 + match.start() // 2, 36 + 3 * row, len(match[0]), 2, fill)
    for row, (*columns, fill) in enumerate(LOG):
        for x, words in zip((160, 210, 310), columns, strict=True):
            sheet.text(x, 388 + 15 * row, words, fill)
    sheet.box(166 + font(12).getlength(LOG[0][0]), 381, 7, 13, "#ffffff")
    return np.array(sheet.picture())


def editor_frame(sheet: Sheet) -> None:
    """Everything round the program: files, tabs, the terminal's head, the status line."""
    sheet.box(0, 0, 150, HEIGHT, "#000000")
    sheet.box(150, 0, 498, 26, "#2d2d30")
    sheet.box(150, 0, 112, 26, "#1e1e1e")
    sheet.box(150, 0, 112, 2, "#0098ff")
    for x, words, fill in zip(
        (162, 274, 372),
        ("enlarge.py", "README.md", "out.json"),
        ("#ffffff", "#969696", "#969696"),
        strict=True,
    ):
        sheet.text(x, 14, words.strip(), fill)
    sheet.text(250, 13, "x", "#ffffff", 13, "mm")
    sheet.text(12, 14, "EXPLORER", "#bbbbbb", 10)
    sheet.box(0, 36 + 22 * 3, 150, 22, "#094771")
    for row, (indent, name, ink) in enumerate(FILES):
        icon(sheet, "Drafts" if "." in name else "Archive", 10 + indent, 40 + 22 * row, ink, 13)
        sheet.text(30 + indent, 47 + 22 * row, name, "#e0e0e0")
    for row, (name, colour) in enumerate((("Run", "#00a152"), ("Debug", "#0a5cff"), ("Stop", "#e5002b"))):
        sheet.box(12, 262 + 32 * row, 126, 24, colour, 4)
        sheet.text(75, 274 + 32 * row, name, "#ffffff", 13, "mm")
    sheet.box(150, 278, 440, 16, "#2a2d2e")
    sheet.box(150, 352, 498, 1, "#5a5a5a")
    sheet.text(160, 366, "TERMINAL", "#ffffff", 11)
    sheet.box(160, 374, 55, 1, "#ffffff")
    sheet.text(230, 366, "PROBLEMS  2        OUTPUT", "#8a8a8a", 11)
    sheet.box(590, 27, 1, 325, "#404040")
    sheet.box(0, 462, WIDTH, 18, "#007acc")
    sheet.text(8, 471, "main    1 failed, 1 passed", "#ffffff", 10)
    sheet.text(640, 471, "Ln 17, Col 22    Spaces: 4    Python", "#ffffff", 10, "rm")
