"""Fine-tuning: what calibration decided is learned further, by imitating the float network."""

from .learning import RATES, Settings, steps, tune

__all__ = ["RATES", "Settings", "steps", "tune"]
