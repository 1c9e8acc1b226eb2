"""The columns of the results of a study."""

# The columns of clips.parquet besides the groups, in order, by the name of their type in pyarrow.
TRACK_COLUMNS = {
    "name": "string", "video": "string", "person": "string", "status": "string", "error": "string",
    "attempts": "int32", "frames": "int64", "first": "int64", "fps": "float64", "width": "int32", "height": "int32",
    "verdict": "string", "confidence": "float64", "lowest_confidence": "float64", "lost_frames": "int64",
    "strange_frames": "int64", "jumps": "int64", "flips": "int64", "drifts": "int64", "kernel_drift": "float64",
    "worst_frame": "int64", "worst_reason": "string", "worst_severity": "float64",
    "warnings": "int64", "warning": "string", "x0": "float64", "y0": "float64", "x1": "float64", "y1": "float64",
    "engine": "string", "seconds": "float64", "model_sha256": "string", "video_sha256": "string",
    "video_bytes": "int64", "video_mtime_ns": "int64", "key": "string", "version": "string", "finished": "string",
}  # fmt: skip

# What is measured against labels; see dkd.studies.evaluate. Version 2 of clips.parquet added these columns.
LABEL_COLUMNS = {
    "labels": "string", "labels_sha256": "string", "labels_error": "string", "labelled_frames": "int64",
    "labelled_joints": "int64", "pck_20": "float64", "pck_10": "float64", "pck_05": "float64", "auc": "float64",
    "velocity_error": "float64", "acceleration_error": "float64", "side_flips": "int64",
}  # fmt: skip
# Settings that differ between rows while a study is run again with others. Version 3 added them.
SETTING_COLUMNS = {"refined": "bool_"}
CLIP_COLUMNS = {**TRACK_COLUMNS, **LABEL_COLUMNS, **SETTING_COLUMNS}
# Headings and explanations of those that are measures.
MEASURE_TITLES = {
    "confidence": "confidence", "lowest_confidence": "lowest confidence of a frame", "lost_frames": "lost frames",
    "strange_frames": "strange frames", "jumps": "jumps", "flips": "flips", "drifts": "drifts",
    "kernel_drift": "kernel drift, median", "worst_severity": "severity of the worst moment",
    "pck_20": "PCK@0.2", "pck_10": "PCK@0.1", "pck_05": "PCK@0.05", "auc": "AUC of PCK up to 0.2",
    "velocity_error": "velocity error, % of the extent per frame",
    "acceleration_error": "acceleration error, % of the extent per frame²", "side_flips": "side flips",
    "frames": "frames", "seconds": "seconds of computation", "fps": "frames per second",
}  # fmt: skip

# Columns of the joints of a row, besides the groups.
JOINT_COLUMNS = ("video", "person", "frame", "time_s", "joint", "x", "y", "score", "confidence")
