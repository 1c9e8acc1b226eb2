"""Many videos: a study traces all rows of a table, resumes, and keeps the results as Parquet."""
