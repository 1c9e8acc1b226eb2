"""``LiveView``: a person in front of a camera, tracked while you look."""
