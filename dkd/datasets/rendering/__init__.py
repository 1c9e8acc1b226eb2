"""Parts of :mod:`dkd.datasets.rendered`: motion, bodies and their clothes, a camera and places."""
