"""What is derived from the records of a run: tables, the verdict, plots, Markdown."""
