"""What the commands do unless told otherwise; a file of its own, so that `--help` loads nothing else."""

TARGET = "tflite"
BITS = ("auto", "w8a8", "w4a8", "f32")
METHOD = "adabm"
MAX_DROP = 0.10
"""dB of PSNR-Y that a program may lose against the float network."""
CALIBRATION_IMAGES = 16
SEED = 0
SIMULATION_CROPS = 100
SIMULATION_ITERATIONS = 50
