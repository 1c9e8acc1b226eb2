"""Pages in which the model itself runs: it tracks a video that is dropped on them, without Python or a network."""
