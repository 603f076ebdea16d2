"""Measurements of the bridge on this machine: `python -m bench`. Nothing here is asserted."""
