"""The walks through the stages; `run.py` is the straight line."""
