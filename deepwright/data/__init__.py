"""From raw rows to parts that a model can learn from: collect, types, missing, scale, encode, split, leakage, profile."""
