"""The columns of the results of a study."""

# The columns of clips.parquet besides the groups, in order, by the name of their type in pyarrow.
CLIP_COLUMNS = {
    "name": "string", "video": "string", "person": "string", "status": "string", "error": "string",
    "attempts": "int32", "frames": "int64", "first": "int64", "fps": "float64", "width": "int32", "height": "int32",
    "verdict": "string", "confidence": "float64", "lowest_confidence": "float64", "lost_frames": "int64",
    "strange_frames": "int64", "jumps": "int64", "flips": "int64", "drifts": "int64", "kernel_drift": "float64",
    "worst_frame": "int64", "worst_reason": "string", "worst_severity": "float64",
    "warnings": "int64", "warning": "string", "x0": "float64", "y0": "float64", "x1": "float64", "y1": "float64",
    "engine": "string", "seconds": "float64", "model_sha256": "string", "video_sha256": "string",
    "video_bytes": "int64", "video_mtime_ns": "int64", "key": "string", "version": "string", "finished": "string",
}  # fmt: skip

# Columns of the joints of a row, besides the groups.
JOINT_COLUMNS = ("video", "person", "frame", "time_s", "joint", "x", "y", "score", "confidence")
