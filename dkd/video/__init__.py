"""Video frames by exact index: clips, their readers, sequences of images, and sample clips."""
