"""Data sets: people with labelled joints, as short clips on which a video pose model can be trained."""
