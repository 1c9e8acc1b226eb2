"""Export menu of the workbench and the studio: poses in all formats, the overlay video, pictures of views, a page."""
