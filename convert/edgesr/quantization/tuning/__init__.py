"""Fine-tuning: what calibration decided is learned further, by imitating the float network."""

from .learning import RANGES, RATES, Settings, steps, tune

__all__ = ["RANGES", "RATES", "Settings", "steps", "tune"]
