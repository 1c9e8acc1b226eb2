"""Tracking while frames arrive: a camera, a video played by its clock, or frames of a program."""
