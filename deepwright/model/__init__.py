"""Stage 3a, the model: networks, baselines, what they answer, and their graphs."""
