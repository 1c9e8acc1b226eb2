"""What :mod:`dkd.datasets.rendered` is made of: movement, bodies and their clothes, a camera and a room."""
