"""Which packages are in the wheel: the source tree, and the calibration pictures beside it."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages("convert"), "edgesr_calib_data"],
    package_dir={"": "convert", "edgesr_calib_data": "calib_data"},
    package_data={
        "edgesr": ["networks/weights/*", "report/templates/*", "devices/pins.toml", "devices/native/*"],
        "edgesr_calib_data": ["*.png", "*.md", "*.txt"],
    },
)
