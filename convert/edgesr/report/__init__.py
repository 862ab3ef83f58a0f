"""The HTML report of `convert` and `check`: one file that shows a colleague what a program is worth.

What the JSON does not hold (pictures, histograms, times) is gathered as `Material`; the page is made of the
JSON's record and of that, and of nothing else.
"""
