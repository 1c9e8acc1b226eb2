"""Pages to mail: a recorded run with all its views in one HTML file, which needs no kernel, server or network."""
