"""Video as frames by exact index: clips, their readers, folders of images, and sample clips."""
