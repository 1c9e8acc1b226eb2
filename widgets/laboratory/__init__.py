"""The laboratory: change one thing in a run and compare the two runs frame by frame."""
