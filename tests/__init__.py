"""Tests. A regular package: sleap-io 0.9.5 installs one called ``tests``, which would be found before a mere folder."""
