"""Which packages are in the wheel: the source tree, and beside it the calibration pictures and the sources of
the runtime for Android, which device checks compile."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages("convert"), "edgesr_calib_data", "edgesr_mobile"],
    package_dir={"": "convert", "edgesr_calib_data": "calib_data", "edgesr_mobile": "mobile_runtime"},
    package_data={
        "edgesr": ["networks/weights/*", "report/templates/*", "devices/pins.toml", "devices/native/**/*"],
        "edgesr_calib_data": ["*.png", "*.md", "*.txt"],
        "edgesr_mobile": ["java/src/main/**/*.java", "java/src/executorch/**/*.java", "native/*"],
    },
)
