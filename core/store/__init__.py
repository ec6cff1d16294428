"""Where the tables live. The only package that imports duckdb."""
