"""Joint kernels: what the kernels made at a joint looked for, where they fit, and what they made of its map."""
