"""Data sets: people with labelled joints, as short clips that a video pose model can be trained on."""
