"""The calibration pictures that ship with edgesr, the recipe that made them, and measurements of both."""
