"""edgesr beside other tools: same network, calibration tiles, pictures and tiling; only the engine differs.

Each peer is one file with a function that makes its program and one that loads it. `__main__` runs them.
"""
