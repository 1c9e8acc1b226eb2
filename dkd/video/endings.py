"""Endings of files, in lower case, by which folders are listed. A clip itself opens any file by its content."""

VIDEO_ENDINGS = {
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp",
    ".ogv", ".vob",
}  # fmt: skip

IMAGE_ENDINGS = {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".tif", ".tiff", ".webp"}
