"""The forms in which a bundle leaves: one file per target."""
