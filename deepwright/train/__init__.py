"""Stage 3b, training: one straight loop that yields events, and the parts it is made of."""
